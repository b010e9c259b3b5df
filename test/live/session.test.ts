import { create, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import {
  type BoundingBoxSchema,
  type CalibrationSchema,
  DetectorService,
  DropReason,
  FramePolicy,
  type FrameSchema,
  PushRefusal,
  type StreamConfigurationSchema,
  type StreamDetectResponse,
  StreamDetectResponseSchema,
  type WatchSessionResponse,
} from "@duchenne/proto";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { grayImage, photographOfSmile } from "../e2e/photograph.ts";
import { type ServerProcess, startServer, temporaryFolder } from "../e2e/server-process.ts";
import { type CallError, fetchClient, type WireFormat } from "./fetch-client.ts";
import { type Answer, openStream } from "./live-client.ts";

const { openSession, pushFrame, calibrateSession, watchSession, closeSession } = DetectorService.method;
const PAGE = "https://app.example";

type Configuration = MessageInitShape<typeof StreamConfigurationSchema>;
interface FrameContent {
  readonly image?: Uint8Array;
  readonly imageIsCrop?: boolean;
  readonly faceBox?: MessageInitShape<typeof BoundingBoxSchema>;
}
type Step =
  | { readonly frame: MessageInitShape<typeof FrameSchema> }
  | { readonly calibration: MessageInitShape<typeof CalibrationSchema> };

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let smile: Buffer;
beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startServer("detector", folder.path, { args: ["--cors-origins", PAGE] });
  smile = await sharp(await photographOfSmile())
    .resize(320)
    .jpeg()
    .toBuffer();
});
afterAll(async () => {
  await server.end();
  await folder[Symbol.asyncDispose]();
});

const page = (format: WireFormat = "proto", { connectPort }: ServerProcess = server) =>
  fetchClient(connectPort, format);
type Page = ReturnType<typeof page>;

/** What was answered, without what a clock said. */
function withoutTimes(answers: readonly Answer[]): unknown[] {
  return answers.map((message) => {
    const json = toJson(StreamDetectResponseSchema, create(StreamDetectResponseSchema, { message }));
    return JSON.parse(JSON.stringify(json, (key, value) => (key === "times" || key === "duration" ? null : value)));
  });
}

const isFrameAnswer = (message: StreamDetectResponse["message"] | undefined) =>
  message?.case === "result" || message?.case === "dropped";

/** Sends steps to a stream, each frame when the one before was answered. */
async function throughStream(configuration: Configuration, steps: readonly Step[]): Promise<Answer[]> {
  const stream = openStream(server.grpc, configuration);
  const answers: Answer[] = [{ case: "configured", value: await stream.next("configured") }];
  for (const step of steps) {
    if ("calibration" in step) {
      stream.send({ case: "calibration", value: step.calibration });
      continue;
    }
    stream.frame(step.frame);
    do answers.push((await stream.read())!);
    while (!isFrameAnswer(answers.at(-1)));
  }
  stream.halfClose();
  return [...answers, ...(await stream.rest())];
}

/** Sends the same to a session. */
async function throughSession(client: Page, configuration: Configuration, steps: readonly Step[]): Promise<Answer[]> {
  const { session, configured } = await client.call(openSession, { configuration });
  const answers: Answer[] = [{ case: "configured", value: configured! }];
  const watcher = client.stream(watchSession, { session });
  const read = async (): Promise<Answer | undefined> => {
    const { value } = await watcher.next();
    if (value === undefined) return undefined;
    expect(value.number).toBe(BigInt(answers.length));
    return value.answer!.message as Answer;
  };
  for (const step of steps) {
    if ("calibration" in step) {
      await client.call(calibrateSession, { session, ...step });
      continue;
    }
    expect(await client.call(pushFrame, { session, ...step })).toMatchObject({ accepted: true, credit: 3 });
    do answers.push((await read())!);
    while (!isFrameAnswer(answers.at(-1)));
  }
  const { summary } = await client.call(closeSession, { session });
  for (let answer = await read(); answer !== undefined; answer = await read()) answers.push(answer);
  expect(answers.at(-1)).toEqual({ case: "summary", value: summary });
  return answers;
}

it.each(["json", "proto"] as const)("answers the same frames as a stream does, over Connect's %s", async (format) => {
  const configuration: Configuration = {
    outputs: { headPose: true, quality: true, landmarks: true },
    smoothing: { filter: { case: "exponential", value: { halfLife: { seconds: 0n, nanos: 50_000_000 } } } },
    maxFaces: 2,
  };
  const frame = (number: number, rest: FrameContent): Step => ({
    frame: { sequence: BigInt(number), captureTime: { seconds: 1_700_000_000n, nanos: number * 40_000_000 }, ...rest },
  });
  const mirrored = await sharp(smile).flop().jpeg().toBuffer();
  const dark = await sharp(smile).modulate({ brightness: 0.6 }).jpeg().toBuffer();
  const steps: Step[] = [
    frame(1, { image: smile }),
    { calibration: { action: { case: "measure", value: { frames: 2 } } } },
    frame(2, { image: dark }),
    frame(3, { image: smile }),
    frame(4, { image: mirrored }),
    frame(3, { image: smile }),
    frame(5, {}),
    frame(6, { image: smile, faceBox: { left: 0, top: 0, width: -1, height: 5 } }),
    frame(7, { image: await grayImage(9000, 10) }),
    frame(8, { image: await grayImage(64, 64) }),
    { calibration: { action: { case: "reset", value: {} } } },
    frame(9, { image: dark }),
    frame(10, { image: smile, imageIsCrop: true }),
  ];
  const expected = await throughStream(configuration, steps);
  const kinds = expected.map((answer) => answer.case);
  expect(kinds.filter((kind) => kind === "result").length).toBe(7);
  expect(kinds.filter((kind) => kind === "dropped").length).toBe(4);
  expect(kinds).toContain("calibrated");
  expect(withoutTimes(await throughSession(page(format), configuration, steps))).toEqual(withoutTimes(expected));
});

it("answers each frame once that was taken, and takes a refused one later", async () => {
  const client = page();
  const { session, configured, idleTimeout, maxImageBytes } = await client.call(openSession, {});
  expect(configured).toMatchObject({ credit: 4, policy: FramePolicy.EVERY_FRAME, maxFaces: 8 });
  expect(configured?.model?.actionUnits[0]).toMatchObject({ threshold: 0.5 });
  expect([durationMs(idleTimeout!), maxImageBytes]).toEqual([30_000, 12n * 2n ** 20n]);
  const watcher = client.stream(watchSession, { session });
  for (let sequence = 1n; sequence <= 12n; ) {
    const pushed = await client.call(pushFrame, { session, frame: { sequence, image: smile } });
    if (pushed.accepted) {
      sequence++;
      continue;
    }
    expect(pushed).toMatchObject({ refusal: PushRefusal.NO_CREDIT, credit: 0 });
    await watcher.next();
  }
  const { summary } = await client.call(closeSession, { session });
  expect(summary).toMatchObject({ framesReceived: 12n, framesAnswered: 12n });
  expect(await client.call(closeSession, { session })).toMatchObject({ summary });
});

it("answers the newest where the latest wins, and tells the others that they are stale", async () => {
  const client = page();
  const { session } = await client.call(openSession, { configuration: { policy: FramePolicy.LATEST_WINS } });
  let taken = 0;
  for (let sequence = 1n; sequence <= 30n; sequence++) {
    const { accepted } = await client.call(pushFrame, { session, frame: { sequence, image: smile } });
    if (accepted) taken++;
  }
  const { summary } = await client.call(closeSession, { session });
  expect(summary?.framesReceived).toBe(BigInt(taken));
  expect(summary!.framesAnswered + summary!.framesDropped).toBe(BigInt(taken));
  for (const { reason } of summary!.drops) expect(reason).toBe(DropReason.STALE);
  const sequences: bigint[] = [];
  for await (const { answer } of client.stream(watchSession, { session })) {
    const { case: kind, value } = answer!.message;
    if (kind === "result" || kind === "dropped") sequences.push(value.sequence);
  }
  expect(new Set(sequences).size).toBe(taken);
});

it("goes on after the last number that a watcher saw, who may come back after the end", async () => {
  const client = page("json");
  const { session } = await client.call(openSession, {});
  const cut = new AbortController();
  const seen: WatchSessionResponse[] = [];
  const watcher = client.stream(watchSession, { session }, cut.signal);
  const push = (sequence: bigint) => client.call(pushFrame, { session, frame: { sequence, image: smile } });
  for (const sequence of [1n, 2n]) {
    await push(sequence);
    seen.push((await watcher.next()).value!);
  }
  cut.abort();
  await expect(watcher.next()).rejects.toThrow();
  for (const sequence of [3n, 4n]) await push(sequence);
  await client.call(closeSession, { session });
  for await (const answer of client.stream(watchSession, { session, after: seen.at(-1)!.number })) seen.push(answer);
  expect(seen.map(({ number }) => Number(number))).toEqual([1, 2, 3, 4, 5]);
  expect(seen.map(({ answer }) => answer?.message.case)).toEqual(["result", "result", "result", "result", "summary"]);
});

it("says precisely what is wrong with a call", async () => {
  const own = await temporaryFolder();
  const args = ["--max-sessions", "1", "--session-buffer-bytes", "4096", "--max-request-bytes", "100000"];
  const process = await startServer("detector", own.path, { args });
  try {
    const client = page("json", process);
    const failure = async (work: Promise<unknown>) => {
      const { code, reason, metadata } = await work.then(
        () => Promise.reject(new Error("The call succeeded")),
        (error: CallError) => error,
      );
      return { code, reason, metadata };
    };
    const session = "sessions/guessed";
    const unknown = { code: "not_found", reason: "SESSION_NOT_FOUND" };
    expect(await failure(client.call(pushFrame, { session, frame: {} }))).toMatchObject(unknown);
    expect(await failure(client.stream(watchSession, { session }).next())).toMatchObject(unknown);
    expect(await failure(client.call(closeSession, { session }))).toMatchObject(unknown);
    const lost = { configuration: { model: "models/lost@live" } };
    expect(await failure(client.call(openSession, lost))).toMatchObject({ code: "not_found" });
    const priority = { configuration: { priority: 9 } };
    expect(await failure(client.call(openSession, priority))).toMatchObject({ code: "invalid_argument" });

    const opened = await client.call(openSession, { configuration: { outputs: { landmarks: true } } });
    const known = { session: opened.session };
    expect(await failure(client.call(openSession, {}))).toMatchObject({
      code: "resource_exhausted",
      reason: "TOO_MANY_SESSIONS",
    });
    expect(await failure(client.call(pushFrame, known))).toMatchObject({
      code: "invalid_argument",
      reason: "MISSING_FRAME",
    });
    expect(await failure(client.call(calibrateSession, known))).toMatchObject({ code: "invalid_argument" });
    const image = new Uint8Array(100_000);
    expect(await failure(client.call(pushFrame, { ...known, frame: { image } }))).toMatchObject({
      code: "resource_exhausted",
    });
    const early = client.stream(watchSession, { ...known, after: 7n });
    expect(await failure(early.next())).toMatchObject({ code: "invalid_argument", reason: "UNKNOWN_ANSWER_NUMBER" });
    for (const sequence of [1n, 2n]) await client.call(pushFrame, { ...known, frame: { sequence, image: smile } });
    await client.call(closeSession, known);
    expect(await failure(client.stream(watchSession, known).next())).toMatchObject({
      code: "out_of_range",
      reason: "ANSWERS_GONE",
      metadata: { first_after: "2" },
    });
    expect((await client.stream(watchSession, { ...known, after: 2n }).next()).value?.answer?.message.case).toBe(
      "summary",
    );
    expect(await failure(client.call(pushFrame, { ...known, frame: { sequence: 3n } }))).toMatchObject({
      code: "failed_precondition",
      reason: "SESSION_ENDED",
    });
    await client.call(openSession, {});
    expect(await failure(client.call(closeSession, known))).toMatchObject(unknown);
  } finally {
    await process.end();
    await own[Symbol.asyncDispose]();
  }
});

it("tells watchers that the server goes away, answers what is in work, and does not keep the server", async () => {
  const own = await temporaryFolder();
  const process = await startServer("detector", own.path, { args: ["--going-away-grace-ms", "60000"] });
  const client = page("proto", process);
  const { session } = await client.call(openSession, {});
  await client.call(openSession, {});
  const watcher = client.stream(watchSession, { session });
  await client.call(pushFrame, { session, frame: { sequence: 1n, image: smile } });
  expect((await watcher.next()).value?.answer?.message.case).toBe("result");
  await client.call(pushFrame, { session, frame: { sequence: 2n, image: smile } });
  const ended = process.end("SIGTERM");
  const rest: (string | undefined)[] = [];
  for await (const { answer } of watcher) rest.push(answer?.message.case);
  expect([...rest].sort()).toEqual(["goingAway", "result", "summary"]);
  expect(rest.at(-1)).toBe("summary");
  expect(await ended).toBe(0);
  expect(process.log()).not.toContain('"level":"error"');
  await own[Symbol.asyncDispose]();
});

it("lets pages of the origins call that the server was told, and no others", async () => {
  const url = `http://127.0.0.1:${server.connectPort}/${DetectorService.typeName}/${pushFrame.name}`;
  const allowed = async (origin: string) => {
    const headers = {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type",
    };
    const { status, headers: answer } = await fetch(url, { method: "OPTIONS", headers });
    return [status === 204, answer.get("access-control-allow-origin")];
  };
  expect(await allowed(PAGE)).toEqual([true, PAGE]);
  expect(await allowed("https://other.example")).toEqual([false, null]);
});
