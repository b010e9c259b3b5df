import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { StreamDetectRequestSchema } from "@duchenne/proto";
import { createLogger } from "@duchenne/rpc";
import { describeBuiltInModel, PLAIN_BATCHING } from "@duchenne/vision";
import { ROOT_CONTEXT } from "@opentelemetry/api";
import { expect, it } from "vitest";
import { createCanaryMetrics } from "../canary/canary-metrics.ts";
import { CanaryMirror } from "../canary/canary-mirror.ts";
import { createFrameMetrics } from "../frame-metrics.ts";
import { ModelRegistry } from "../model-registry.ts";
import { answerStream } from "./answer-stream.ts";

it.each(["the caller breaks the order", "nobody reads any more"])("closes the requests when %s", async (why) => {
  const nobody = () => Promise.reject(new Error("no image is sent"));
  const au = { describe: describeBuiltInModel, find: nobody, score: nobody, run: nobody, dispose: async () => {} };
  const registry = new ModelRegistry({
    resolve: async (reference) => ({ version: reference, alias: "" }),
    load: async (name) => ({ name, au, dispose: async () => {} }),
    onLoadFailure: () => "",
  });
  const first: MessageInitShape<typeof StreamDetectRequestSchema>["message"] =
    why === "nobody reads any more" ? { case: "configuration", value: {} } : { case: "frame", value: {} };
  let closed = false;
  const requests = {
    [Symbol.asyncIterator]: () => {
      const messages = [create(StreamDetectRequestSchema, { message: first })];
      return {
        // The caller sends its first message and then is silent.
        next: () =>
          new Promise<IteratorResult<(typeof messages)[number]>>((resolve) => {
            const value = messages.shift();
            if (value !== undefined) resolve({ done: false, value });
          }),
        async return() {
          closed = true;
          return { done: true as const, value: undefined };
        },
      };
    },
  };
  const open: string[] = [];
  const opened = (kind: string) => {
    open.push(kind);
    return { [Symbol.dispose]: () => void open.pop() };
  };
  const logger = createLogger({ name: "test", level: "silent" });
  const answers = answerStream(requests, {
    registry,
    kind: "stream",
    defaults: { maxFaces: 1, detectEvery: 5, batching: PLAIN_BATCHING },
    metrics: { ...createFrameMetrics(), opened },
    mirror: new CanaryMirror({ registry, share: 0, priority: 1, metrics: createCanaryMetrics(), logger }),
    logger,
    credit: 1,
    faceMemoryMs: 0,
    goingAwayGraceMs: 0,
    reconnectAfterMs: 0,
    traceEveryMs: 1000,
    traceContext: ROOT_CONTEXT,
    signal: new AbortController().signal,
    draining: new AbortController().signal,
  });
  if (why === "nobody reads any more") {
    expect((await answers.next()).value).toMatchObject({ message: { case: "configured" } });
    expect(open).toEqual(["stream"]);
    await answers.return();
  } else {
    await expect(answers.next()).rejects.toMatchObject({ reason: "INVALID_STREAM_ORDER" });
  }
  expect(closed).toBe(true);
  expect(open).toEqual([]);
});
