import { create, toJson } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { type StreamAnswer, streamFrames } from "@duchenne/client";
import { type FrameInput, streamSession } from "@duchenne/client/browser";
import { DetectorService, FramePolicy, StreamDetectResponseSchema } from "@duchenne/proto";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { photographOfSmile } from "../e2e/photograph.ts";
import { type ServerProcess, startServer, temporaryFolder } from "../e2e/server-process.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let frames: FrameInput[];
beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startServer("detector", folder.path);
  const smile = sharp(await photographOfSmile()).resize(320);
  frames = [];
  for (let i = 0; i < 8; i++) {
    const image = await smile
      .clone()
      .modulate({ brightness: 1 - i * 0.05 })
      .jpeg()
      .toBuffer();
    frames.push({ image, captureTimeMs: 1_700_000_000_000 + i * 40 });
  }
});
afterAll(async () => {
  await server.end();
  await folder[Symbol.asyncDispose]();
});

async function all(answers: AsyncIterable<StreamAnswer>): Promise<StreamAnswer[]> {
  const list: StreamAnswer[] = [];
  for await (const answer of answers) list.push(answer);
  return list;
}

/** What was answered, without what a clock said. */
function withoutTimes(answers: readonly StreamAnswer[]): unknown[] {
  return answers.map((message) => {
    const json = toJson(StreamDetectResponseSchema, create(StreamDetectResponseSchema, { message }));
    return JSON.parse(JSON.stringify(json, (key, value) => (key === "times" || key === "duration" ? null : value)));
  });
}

const cases = (answers: readonly StreamAnswer[]) => answers.map((answer) => answer.case);

it("answers the same frames as streamFrames does, calibrations between them", async () => {
  const measure = { calibration: { action: { case: "measure", value: { frames: 2 } } } } as const;
  const input = [...frames.slice(0, 2), measure, ...frames.slice(2)];
  const configuration = { outputs: { headPose: true }, maxFaces: 1 };
  const expected = await all(
    streamFrames({ detector: createClient(DetectorService, server.grpc) }, input, configuration),
  );
  expect(cases(expected).filter((kind) => kind === "result").length).toBe(8);
  expect(cases(expected)).toContain("calibrated");
  const detector = createClient(DetectorService, server.connect);
  const answers = await all(streamSession({ detector }, input, configuration));
  expect(withoutTimes(answers)).toEqual(withoutTimes(expected));
});

it("misses nothing when the connection of its answers is cut", async () => {
  let cuts = 0;
  const cutting: Interceptor = (next) => async (request) => {
    const response = await next(request);
    if (!response.stream || response.method.name !== "WatchSession" || cuts >= 2) return response;
    cuts++;
    return { ...response, message: firstOf(response.message) };
  };
  async function* firstOf<T>(messages: AsyncIterable<T>): AsyncGenerator<T> {
    for await (const message of messages) {
      yield message;
      throw new ConnectError("the network is gone", Code.Unknown);
    }
  }
  const baseUrl = `http://127.0.0.1:${server.connectPort}`;
  const transport = createConnectTransport({ baseUrl, httpVersion: "1.1", interceptors: [cutting] });
  const answers = await all(streamSession({ detector: createClient(DetectorService, transport) }, frames));
  expect(cuts).toBe(2);
  const sequences = answers.flatMap((answer) => (answer.case === "result" ? [answer.value.sequence] : []));
  expect(sequences).toEqual([1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n]);
  expect(answers.at(-1)?.case).toBe("summary");
});

it("closes the session when its caller leaves early", async () => {
  const closed = Promise.withResolvers<string>();
  const noting: Interceptor = (next) => async (request) => {
    const response = await next(request);
    if (request.method.name === "CloseSession") closed.resolve(request.method.name);
    return response;
  };
  const baseUrl = `http://127.0.0.1:${server.connectPort}`;
  const transport = createConnectTransport({ baseUrl, httpVersion: "1.1", interceptors: [noting] });
  const detector = createClient(DetectorService, transport);
  async function* endless(): AsyncGenerator<FrameInput> {
    for (;;) yield frames[0]!;
  }
  for await (const { case: kind } of streamSession({ detector }, endless())) if (kind === "result") break;
  expect(await closed.promise).toBe("CloseSession");
});

it("says what a session cannot be opened or fed with", async () => {
  const detector = createClient(DetectorService, server.connect);
  const failure = (answers: AsyncIterable<StreamAnswer>) =>
    all(answers).then(
      () => undefined,
      (error: unknown) => ConnectError.from(error).code,
    );
  expect(await failure(streamSession({ detector }, frames, { model: "models/lost@live" }))).toBe(Code.NotFound);
  const baseline = { scores: [{ actionUnit: 99, score: 0.1 }] };
  const calibration = { calibration: { action: { case: "baseline", value: baseline } } } as const;
  expect(await failure(streamSession({ detector }, [calibration, ...frames]))).toBe(Code.InvalidArgument);
  const aborted = AbortSignal.abort();
  expect(await failure(streamSession({ detector }, frames, {}, { signal: aborted }))).toBe(Code.Canceled);
});

it("brings the summary of a server that goes away while the camera gives nothing more", async () => {
  await using own = await temporaryFolder();
  const leaving = await startServer("detector", own.path);
  const never = Promise.withResolvers<void>();
  async function* camera(): AsyncGenerator<FrameInput> {
    yield frames[0]!;
    await never.promise;
  }
  const answers: StreamAnswer["case"][] = [];
  const detector = createClient(DetectorService, leaving.connect);
  let ended: Promise<number | null> | undefined;
  for await (const answer of streamSession({ detector }, camera(), { policy: FramePolicy.LATEST_WINS })) {
    answers.push(answer.case);
    if (answer.case === "result") ended = leaving.end();
  }
  expect(answers).toEqual(["configured", "result", "goingAway", "summary"]);
  expect(await ended).toBe(0);
});
