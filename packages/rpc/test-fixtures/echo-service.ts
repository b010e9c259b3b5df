import { createCipheriv } from "node:crypto";
import type { Logger } from "../src/index.ts";
import { type CallContext, type ServiceHandler, serviceHandler } from "../src/index.ts";
import { EchoService, ShoutService } from "./gen/duchenne/rpc/test/v1/echo_pb.ts";

/** An error as the product's packages throw them. */
export class NoSuchTextError extends Error {
  override readonly name = "NoSuchTextError";
  readonly code = "not_found";
  readonly reason = "NO_SUCH_TEXT";
  readonly metadata: Readonly<Record<string, string>>;

  constructor(text: string) {
    super(`Expected a known text, got "${text}"`);
    this.metadata = { text };
  }
}

/** A bad input as the product's packages report it. */
export class BadTextError extends Error {
  override readonly name = "BadTextError";
  readonly code = "invalid_argument";
  readonly reason = "BAD_TEXT";
  readonly violations: readonly { field: string; description: string }[];

  constructor(count: number) {
    super(`${count} things are wrong`);
    this.violations = Array.from({ length: count }, (_, index) => ({
      field: `text[${index}]`,
      description: `Expected a letter, got the digit ${index}`,
    }));
  }
}

/** What the service saw, and the gates a test opens. */
export interface EchoRecord {
  /** Contexts of calls, in order of their beginning. */
  readonly contexts: CallContext[];
  /** Responses produced by Count. */
  counted: number;
  /** Resolves when a handler that waits has begun. */
  readonly waiting: PromiseWithResolvers<void>;
  /** Resolves with the reason when a waiting handler's signal aborts. */
  readonly aborted: PromiseWithResolvers<unknown>;
  /** Lets Chat begin to read. */
  readonly gate: PromiseWithResolvers<void>;
  /** Resolves when the finally block of a stream has run. */
  readonly cleanedUp: PromiseWithResolvers<void>;
}

/** Creates the test services and the record of what they saw. The text of a request chooses what happens. */
export function createEchoServices(): { services: ServiceHandler[]; record: EchoRecord } {
  const record: EchoRecord = {
    contexts: [],
    counted: 0,
    waiting: Promise.withResolvers(),
    aborted: Promise.withResolvers(),
    gate: Promise.withResolvers(),
    cleanedUp: Promise.withResolvers(),
  };
  const wait = async ({ signal }: CallContext): Promise<never> => {
    signal.addEventListener("abort", () => record.aborted.resolve(signal.reason));
    record.waiting.resolve();
    return await new Promise<never>(() => {});
  };
  const echo = serviceHandler(EchoService, {
    async echo({ text }, context) {
      record.contexts.push(context);
      if (text === "missing") throw new NoSuchTextError(text);
      if (text.startsWith("bad ")) throw new BadTextError(Number(text.slice(4)));
      if (text === "bug") throw new TypeError("the password is 1234");
      if (text === "wait") await wait(context);
      context.responseHeader.set("x-echo", context.requestHeader.get("x-echo") ?? "");
      context.responseTrailer.set("x-echo-trailer", "done");
      return { text };
    },
    async *count({ to, payloadBytes }, context) {
      record.contexts.push(context);
      const payload = incompressible(payloadBytes);
      for (let number = 1; number <= to; number += 1) {
        record.counted = number;
        yield { number, payload };
      }
    },
    async join(requests, context) {
      record.contexts.push(context);
      const texts: string[] = [];
      for await (const { text } of requests) texts.push(text);
      return { text: texts.join(" ") };
    },
    async *chat(requests, context) {
      record.contexts.push(context);
      try {
        for await (const { text } of requests) {
          if (text === "gate") await record.gate.promise;
          if (text === "leave") return;
          if (text === "missing") throw new NoSuchTextError(text);
          if (text === "wait") await wait(context);
          yield { text };
        }
      } finally {
        record.cleanedUp.resolve();
      }
    },
  });
  const shout = serviceHandler(ShoutService, { shout: ({ text }) => ({ text: text.toUpperCase() }) });
  return { services: [echo, shout], record };
}

/** The same bytes every time, which no compression makes smaller: a stream of them fills the windows of a connection. */
export function incompressible(bytes: number): Uint8Array {
  return createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16)).update(new Uint8Array(bytes));
}

/** A log that keeps its lines. */
export function recordingLogger(): Logger & { readonly lines: { level: string; message: string; error?: unknown }[] } {
  const lines: { level: string; message: string; error?: unknown }[] = [];
  const write = (level: string) => (attributes: Readonly<Record<string, unknown>>, message: string) =>
    void lines.push({ ...attributes, level, message });
  const logger = {
    lines,
    trace: write("trace"),
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    child: () => logger,
  };
  return logger;
}
