import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { CalibrationSchema, FramePolicy, FrameSchema, PushRefusal, StreamConfigurationSchema } from "@duchenne/proto";
import { createLogger } from "@duchenne/rpc";
import { describeBuiltInModel, PLAIN_BATCHING } from "@duchenne/vision";
import { ROOT_CONTEXT } from "@opentelemetry/api";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createCanaryMetrics } from "../canary/canary-metrics.ts";
import { CanaryMirror } from "../canary/canary-mirror.ts";
import { createFrameMetrics } from "../frame-metrics.ts";
import { ModelRegistry } from "../model-registry.ts";
import { answerStream } from "../stream/answer-stream.ts";
import type { LiveSession, SessionCall } from "./live-session.ts";
import { Sessions } from "./sessions.ts";

const CREDIT = 2;
const IDLE_MS = 5000;

let sessions: Sessions;
/** Ends the work on frames: each is then dropped as INTERNAL. */
let work: PromiseWithResolvers<never>;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  work = Promise.withResolvers();
  work.promise.catch(() => {});
  const nobody = () => Promise.reject(new Error("not reached"));
  const find = () => work.promise;
  const au = { describe: describeBuiltInModel, find, score: nobody, run: nobody, dispose: async () => {} };
  const registry = new ModelRegistry({
    resolve: async (reference) => ({ version: reference, alias: "" }),
    load: async (name) => ({ name, au, dispose: async () => {} }),
    onLoadFailure: () => "",
  });
  const logger = createLogger({ name: "test", level: "silent" });
  const mirror = new CanaryMirror({ registry, share: 0, priority: 1, metrics: createCanaryMetrics(), logger });
  sessions = new Sessions({
    answer: (requests, call) =>
      answerStream(requests, {
        registry,
        kind: "session",
        defaults: { maxFaces: 1, detectEvery: 5, batching: PLAIN_BATCHING },
        metrics: createFrameMetrics(),
        mirror,
        logger,
        credit: CREDIT,
        faceMemoryMs: 0,
        goingAwayGraceMs: 1000,
        reconnectAfterMs: 0,
        traceEveryMs: 1000,
        ...call,
      }),
    maxWaiting: CREDIT,
    bufferBytes: 10_000,
    idleMs: IDLE_MS,
    maxSessions: 2,
  });
});
afterEach(async () => {
  await sessions.close();
  vi.useRealTimers();
});

const alive = new AbortController().signal;

async function open(
  configuration: MessageInitShape<typeof StreamConfigurationSchema> = {},
  call: Partial<SessionCall> = {},
): Promise<LiveSession> {
  const opener = { signal: alive, draining: alive, traceContext: ROOT_CONTEXT, ...call };
  return sessions.get((await sessions.open(create(StreamConfigurationSchema, configuration), opener)).name);
}

const frame = (sequence: bigint) => create(FrameSchema, { sequence, image: new Uint8Array([1]), imageIsCrop: true });
const reset = create(CalibrationSchema, { action: { case: "reset", value: {} } });

/** What was answered, up to a kind of answer. */
async function answers(session: LiveSession, count: number, after = 0n): Promise<(string | undefined)[]> {
  const kinds: (string | undefined)[] = [];
  for await (const { answer } of session.watch(after, alive)) {
    kinds.push(answer.message.case);
    if (kinds.length === count) break;
  }
  return kinds;
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

it("takes frames while there is credit, refuses others, and takes them when an answer gave it back", async () => {
  const session = await open();
  const taken = { accepted: true, refusal: PushRefusal.UNSPECIFIED };
  expect(session.push(frame(1n))).toEqual({ ...taken, credit: 1 });
  expect(session.push(frame(2n))).toEqual({ ...taken, credit: 0 });
  expect(session.push(frame(3n))).toEqual({ accepted: false, refusal: PushRefusal.NO_CREDIT, credit: 0 });
  work.reject(new Error("no face model here"));
  expect(await answers(session, 2)).toEqual(["dropped", "dropped"]);
  expect(session.push(frame(3n))).toEqual({ ...taken, credit: 1 });
  expect(await session.close()).toMatchObject({ framesReceived: 3n, framesDropped: 3n });
  expect(await answers(session, 9)).toEqual(["dropped", "dropped", "dropped", "summary"]);
});

it("takes the newest frame without credit where the latest wins", async () => {
  const session = await open({ policy: FramePolicy.LATEST_WINS });
  for (let sequence = 1n; sequence <= 6n; sequence++) {
    expect(session.push(frame(sequence)).accepted).toBe(true);
    await settled();
  }
  work.reject(new Error("no face model here"));
  expect(await session.close()).toMatchObject({ framesReceived: 6n, framesDropped: 6n });
});

it("bounds what waits to be read, whoever sends it", async () => {
  const session = await open();
  session.push(frame(1n));
  session.push(frame(2n));
  await settled();
  const waiting = [session.calibrate(reset), session.calibrate(reset)];
  await expect(session.calibrate(reset)).rejects.toMatchObject({ code: "resource_exhausted", reason: "SESSION_BUSY" });
  work.reject(new Error("no face model here"));
  await Promise.all(waiting);
  await session.calibrate(reset);
});

it("tells a baseline that the model has no scores for to the caller, and ends as a stream does", async () => {
  const session = await open();
  const action = { case: "baseline" as const, value: { scores: [{ actionUnit: 99, score: 0.1 }] } };
  const mismatch = { code: "invalid_argument", reason: "BASELINE_MISMATCH" };
  await expect(session.calibrate(create(CalibrationSchema, { action }))).rejects.toMatchObject(mismatch);
  await expect(answers(session, 1)).rejects.toMatchObject(mismatch);
  await expect(session.close()).rejects.toMatchObject(mismatch);
  expect(() => session.push(frame(1n))).toThrow("this one has ended: of an error");
});

it("ends when nobody pushes or watches for the idle time, and is forgotten after as long again", async () => {
  const session = await open();
  await vi.advanceTimersByTimeAsync(IDLE_MS - 1);
  work.reject(new Error("no face model here"));
  session.push(frame(1n));
  const leaving = new AbortController();
  const watched = session.watch(1n, leaving.signal);
  await answers(session, 1);
  const next = watched.next();
  await vi.advanceTimersByTimeAsync(10 * IDLE_MS);
  session.push(frame(2n));
  expect((await next).value?.number).toBe(2n);
  await watched.return();
  await vi.advanceTimersByTimeAsync(IDLE_MS - 1);
  expect(session.ended).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(session.ended).toBe(true);
  expect(() => session.push(frame(3n))).toThrow("this one has ended: nobody pushed, calibrated or watched for 5 s");
  expect(await answers(session, 9)).toEqual(["dropped", "dropped", "summary"]);
  expect(sessions.get(session.name)).toBe(session);
  await vi.advanceTimersByTimeAsync(IDLE_MS);
  expect(() => sessions.get(session.name)).toThrow(expect.objectContaining({ code: "not_found" }));
});

it("opens no more than it may; one that has ended makes room", async () => {
  const first = await open();
  await open();
  await expect(open()).rejects.toMatchObject({ code: "resource_exhausted", reason: "TOO_MANY_SESSIONS" });
  await first.close();
  const third = await open();
  expect(() => sessions.get(first.name)).toThrow("Expected a session that is open");
  expect(third.name).toMatch(/^sessions\/[\w-]{22}$/);
  expect(third.name).not.toBe(first.name);
});

it("keeps nothing of a caller who left while it was opened", async () => {
  const left = AbortSignal.abort(new Error("gone"));
  for (let times = 0; times < 3; times++) await expect(open({}, { signal: left })).rejects.toThrow("gone");
  await open();
  await open();
});

it("says that the server goes away, answers what is in work and takes no more", async () => {
  const draining = new AbortController();
  const session = await open({}, { draining: draining.signal });
  session.push(frame(1n));
  await settled();
  draining.abort();
  expect(() => session.push(frame(2n))).toThrow("this one has ended: the server is about to stop");
  work.reject(new Error("no face model here"));
  expect(await answers(session, 9)).toEqual(["goingAway", "dropped", "summary"]);
});
