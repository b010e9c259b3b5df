import { type Client, Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { BadRequestSchema, ErrorInfoSchema } from "@duchenne/proto/rpc";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createEchoServices, type EchoRecord, incompressible, recordingLogger } from "../test-fixtures/echo-service.ts";
import { EchoService, ShoutService } from "../test-fixtures/gen/duchenne/rpc/test/v1/echo_pb.ts";
import { createRpcServer, ERROR_DOMAIN, type RpcServer } from "./index.ts";

const host = "127.0.0.1";

interface Route {
  readonly name: string;
  readonly bidi: boolean;
  readonly transport: (server: RpcServer) => Transport;
}

const routes: Route[] = [
  {
    name: "gRPC on grpc-js",
    bidi: true,
    transport: ({ grpcPort }) => createGrpcTransport({ baseUrl: `http://${host}:${grpcPort}` }),
  },
  {
    name: "gRPC on connect-node",
    bidi: true,
    transport: ({ connectPort }) => createGrpcTransport({ baseUrl: `http://${host}:${connectPort}` }),
  },
  {
    name: "Connect over HTTP/2",
    bidi: true,
    transport: ({ connectPort }) =>
      createConnectTransport({ baseUrl: `http://${host}:${connectPort}`, httpVersion: "2" }),
  },
  {
    name: "Connect with JSON over HTTP/1.1",
    bidi: false,
    transport: ({ connectPort }) =>
      createConnectTransport({
        baseUrl: `http://${host}:${connectPort}`,
        httpVersion: "1.1",
        useBinaryFormat: false,
        nodeOptions: { agent: false },
      }),
  },
  {
    name: "gRPC-Web over HTTP/1.1",
    bidi: false,
    transport: ({ connectPort }) =>
      createGrpcWebTransport({
        baseUrl: `http://${host}:${connectPort}`,
        httpVersion: "1.1",
        nodeOptions: { agent: false },
      }),
  },
];

let server: RpcServer;
let record: EchoRecord;
let logger: ReturnType<typeof recordingLogger>;

beforeEach(async () => {
  const echo = createEchoServices();
  record = echo.record;
  logger = recordingLogger();
  server = await createRpcServer({
    services: echo.services,
    grpc: { host, port: 0 },
    connect: { host, port: 0 },
    limits: { maxRequestBytes: 1024 * 1024, maxStreamsPerPeer: 4 },
    logger,
  });
});
afterEach(() => server.close({ graceMs: 0 }));

async function failureOf(work: Promise<unknown>): Promise<ConnectError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ConnectError) return error;
    throw error;
  }
  throw new Error("Expected a failure");
}

/** Waits until a count stands still over many calls: a sender that waits for its receiver. */
async function standstill(client: Client<typeof EchoService>, counter: () => number): Promise<number> {
  for (let last = -1; last !== counter(); ) {
    last = counter();
    for (let i = 0; i < 30; i += 1) await client.echo({ text: "still there?" });
  }
  return counter();
}

async function collect<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

describe.each(routes)("$name", ({ transport }) => {
  const echoClient = () => createClient(EchoService, transport(server));

  it("answers a unary call, with headers and trailers both ways", async () => {
    const seen: Record<string, string | null> = {};
    const response = await echoClient().echo(
      { text: "hello" },
      {
        headers: { "x-echo": "yes" },
        onHeader: (headers) => (seen.header = headers.get("x-echo")),
        onTrailer: (trailers) => (seen.trailer = trailers.get("x-echo-trailer")),
      },
    );
    expect(response.text).toBe("hello");
    expect(seen).toEqual({ header: "yes", trailer: "done" });
    expect(record.contexts[0]?.peer).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(record.contexts[0]?.deadline).toBeInstanceOf(Date);
  });

  it("serves two services at once", async () => {
    const [spoken, shouted] = await Promise.all([
      echoClient().echo({ text: "one" }),
      createClient(ShoutService, transport(server)).shout({ text: "two" }),
    ]);
    expect([spoken.text, shouted.text]).toEqual(["one", "TWO"]);
  });

  it("streams responses in order", async () => {
    const numbers = await collect(echoClient().count({ to: 500 }));
    expect(numbers.map(({ number }) => number)).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
  });

  it("waits for a client that reads slowly", async () => {
    const to = 400;
    const responses = echoClient()
      .count({ to, payloadBytes: 256 * 1024 })
      [Symbol.asyncIterator]();
    await responses.next();
    const ahead = await standstill(echoClient(), () => record.counted);
    expect(ahead).toBeLessThan(to / 2);
    let last = 1;
    for (let next = await responses.next(); next.done !== true; next = await responses.next()) {
      expect(next.value.number).toBe(last + 1);
      last = next.value.number;
    }
    expect(last).toBe(to);
  });

  it("sends violated rules as field violations, and does not call the handler", async () => {
    const failure = await failureOf(echoClient().echo({ text: "no!" }));
    expect(failure.code).toBe(Code.InvalidArgument);
    expect(failure.findDetails(BadRequestSchema)[0]?.fieldViolations.map(({ field }) => field)).toEqual(["text"]);
    expect(failure.findDetails(ErrorInfoSchema)[0]).toMatchObject({ reason: "INVALID_REQUEST", domain: ERROR_DOMAIN });
    expect(record.contexts).toEqual([]);
  });

  it("sends a typed error with its reason and metadata", async () => {
    const failure = await failureOf(echoClient().echo({ text: "missing" }));
    expect(failure.code).toBe(Code.NotFound);
    expect(failure.rawMessage).toBe('Expected a known text, got "missing"');
    expect(failure.findDetails(ErrorInfoSchema)).toMatchObject([
      { reason: "NO_SUCH_TEXT", domain: ERROR_DOMAIN, metadata: { text: "missing" } },
    ]);
  });

  it("sends as many violations as a header may hold, and counts the others", async () => {
    const failure = await failureOf(echoClient().echo({ text: "bad 5000" }));
    const violations = failure.findDetails(BadRequestSchema)[0]?.fieldViolations ?? [];
    expect(violations.length).toBeGreaterThan(10);
    expect(violations.at(-1)?.description).toBe(`And ${5000 - (violations.length - 1)} more`);
  });

  it("hides the text of an unexpected error, and logs it in full", async () => {
    const failure = await failureOf(echoClient().echo({ text: "bug" }));
    expect(failure.code).toBe(Code.Internal);
    expect(failure.message).not.toContain("password");
    const logged = logger.lines.filter(({ level }) => level === "error");
    expect(logged).toHaveLength(1);
    expect(logged[0]?.error).toBeInstanceOf(TypeError);
  });

  it("refuses a message above the limit and goes on", async () => {
    const client = echoClient();
    const failure = await failureOf(client.echo({ text: "big", payload: incompressible(2 * 1024 * 1024) }));
    expect(failure.code).toBe(Code.ResourceExhausted);
    expect((await client.echo({ text: "small" })).text).toBe("small");
  });

  it("tells the handler when the client cancels", async () => {
    const cancel = new AbortController();
    const call = failureOf(echoClient().echo({ text: "wait" }, { signal: cancel.signal }));
    await record.waiting.promise;
    cancel.abort();
    expect((await call).code).toBe(Code.Canceled);
    expect(ConnectError.from(await record.aborted.promise).code).toBe(Code.Canceled);
  });

  it("ends a call at its deadline, even when the handler does not listen", async () => {
    const failure = await failureOf(echoClient().echo({ text: "wait" }, { timeoutMs: 100 }));
    expect(failure.code).toBe(Code.DeadlineExceeded);
    // A client that hangs up a moment before the server's timer is a cancelled call to the handler.
    const { code } = ConnectError.from(await record.aborted.promise);
    expect([Code.DeadlineExceeded, Code.Canceled]).toContain(code);
  });
});

describe.each(routes.filter(({ bidi }) => bidi))("$name, streaming requests", ({ transport }) => {
  const echoClient = () => createClient(EchoService, transport(server));

  it("joins a stream of requests", async () => {
    async function* words() {
      for (const text of ["to", "be", "or", "not"]) yield { text };
    }
    expect((await echoClient().join(words())).text).toBe("to be or not");
  });

  it("answers a bidirectional stream message by message", async () => {
    const heard: string[] = [];
    const turn = { take: Promise.withResolvers<void>() };
    async function* speak() {
      for (const text of ["a", "b", "c"]) {
        yield { text };
        // The next word is said only after the last was answered.
        await turn.take.promise;
        turn.take = Promise.withResolvers();
      }
    }
    for await (const { text } of echoClient().chat(speak())) {
      heard.push(text);
      turn.take.resolve();
    }
    expect(heard).toEqual(["a", "b", "c"]);
    await record.cleanedUp.promise;
  });

  it("makes a client wait for a handler that reads slowly", async () => {
    const total = 400;
    const payload = incompressible(256 * 1024);
    let sent = 0;
    async function* speak() {
      yield { text: "gate" };
      for (sent = 1; sent < total; sent += 1) yield { text: `${sent}`, payload };
    }
    const answers = collect(echoClient().chat(speak()));
    expect(await standstill(echoClient(), () => sent)).toBeLessThan(total / 2);
    record.gate.resolve();
    expect((await answers).map(({ text }) => text)).toEqual([
      "gate",
      ...Array.from({ length: total - 1 }, (_, index) => `${index + 1}`),
    ]);
  });

  it("ends a stream cleanly when the handler returns early", async () => {
    const hold = Promise.withResolvers<void>();
    async function* speak() {
      yield { text: "a" };
      yield { text: "leave" };
      await hold.promise;
    }
    const answers = await collect(echoClient().chat(speak()));
    hold.resolve();
    expect(answers.map(({ text }) => text)).toEqual(["a"]);
  });

  it("sends the error of a stream after what was answered", async () => {
    const hold = Promise.withResolvers<void>();
    async function* speak() {
      yield { text: "a" };
      yield { text: "missing" };
      await hold.promise;
    }
    const heard: string[] = [];
    const failure = await failureOf(
      (async () => {
        for await (const { text } of echoClient().chat(speak())) heard.push(text);
      })(),
    );
    hold.resolve();
    expect(heard).toEqual(["a"]);
    expect(failure.findDetails(ErrorInfoSchema)[0]?.reason).toBe("NO_SUCH_TEXT");
  });

  it("checks every message of a stream", async () => {
    async function* speak() {
      yield { text: "a" };
      yield { text: "b!" };
    }
    const failure = await failureOf(collect(echoClient().chat(speak())));
    expect(failure.code).toBe(Code.InvalidArgument);
    expect(failure.findDetails(BadRequestSchema)[0]?.fieldViolations[0]?.field).toBe("text");
  });

  it("runs a stream's cleanup when the client cancels between messages", async () => {
    const cancel = new AbortController();
    const hold = Promise.withResolvers<void>();
    async function* speak() {
      yield { text: "a" };
      await hold.promise;
    }
    const failure = await failureOf(
      (async () => {
        for await (const _ of echoClient().chat(speak(), { signal: cancel.signal })) cancel.abort();
      })(),
    );
    hold.resolve();
    expect(failure.code).toBe(Code.Canceled);
    await record.cleanedUp.promise;
    expect(logger.lines.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("refuses a stream too many from one address, and takes it when another has ended", async () => {
    const client = echoClient();
    const hold = Promise.withResolvers<void>();
    async function* speak() {
      yield { text: "a" };
      await hold.promise;
    }
    const open = Array.from({ length: 4 }, () => client.chat(speak())[Symbol.asyncIterator]());
    await Promise.all(open.map((answers) => answers.next()));
    const failure = await failureOf(collect(client.count({ to: 1 })));
    expect(failure.code).toBe(Code.ResourceExhausted);
    expect(failure.findDetails(ErrorInfoSchema)[0]?.reason).toBe("TOO_MANY_STREAMS");
    hold.resolve();
    await Promise.all(open.map((answers) => answers.next()));
    expect(await collect(client.count({ to: 1 }))).toHaveLength(1);
  });
});
