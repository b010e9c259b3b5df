import { durationMs } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { DropReason, FramePolicy, PixelFormat, ScoreKind, ThresholdOrigin } from "@duchenne/proto";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stageMs } from "../bench/detect-load.ts";
import { grayImage, photographOfSmile } from "../e2e/photograph.ts";
import { type ServerProcess, startServer, temporaryFolder } from "../e2e/server-process.ts";
import { readPackaged } from "../faces/photographs.ts";
import { type AnswerOf, only, openStream } from "./live-client.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let smile: Buffer;
beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startServer("detector", folder.path);
  smile = await sharp(await photographOfSmile())
    .resize(320)
    .jpeg()
    .toBuffer();
});
afterAll(async () => {
  await server.end();
  await folder[Symbol.asyncDispose]();
});

const scoreOf = (face: AnswerOf<"result">["faces"][number] | undefined, actionUnit: number) =>
  face?.scores.find((score) => score.actionUnit === actionUnit && score.side === 0);

describe("the configuration", () => {
  it("is answered with everything in force: model, thresholds with their origin, credit, tracking", async () => {
    const stream = openStream(server.grpc, { maxFaces: 2, policy: FramePolicy.LATEST_WINS });
    const configured = await stream.next("configured");
    expect(configured).toMatchObject({
      model: { name: "models/blendshape-au/versions/1", kind: "blendshape-au" },
      policy: FramePolicy.LATEST_WINS,
      maxFaces: 2,
      credit: 4,
      tracking: { detectEvery: 5 },
      priority: 2,
    });
    expect(configured.smoothing).toBe(undefined);
    for (const unit of configured.model!.actionUnits) {
      expect(unit).toMatchObject({ threshold: 0.5, thresholdOrigin: ThresholdOrigin.EXPERT });
      expect(unit.scoreKind).toBe(ScoreKind.ACTIVATION);
      expect(unit.thresholdNote).not.toBe("");
    }
    stream.halfClose();
    expect(await stream.next("summary")).toMatchObject({ framesReceived: 0n, drops: [] });
  });

  it("is refused with a priority that there is not, or a filter without parameters", async () => {
    const refusal = async (configuration: Parameters<typeof openStream>[1]) =>
      ConnectError.from(
        await openStream(server.grpc, configuration)
          .read()
          .catch((error: unknown) => error),
      ).rawMessage;
    expect(await refusal({ priority: 9 })).toContain("Expected a priority of 1..3, or 0 for 2, got 9");
    expect(await refusal({ smoothing: {} })).toContain("smoothing.filter");
    const still = { filter: { case: "exponential", value: { halfLife: { seconds: 0n, nanos: 0 } } } } as const;
    expect(await refusal({ smoothing: still })).toContain("half_life");
  });
});

describe("every frame", () => {
  it("is answered once, in order, with its times, and gives its credit back", async () => {
    const stream = openStream(server.grpc);
    let credit = (await stream.next("configured")).credit;
    for (let sequence = 1n; sequence <= 12n; sequence++) {
      credit--;
      stream.frame({ sequence, image: smile });
      if (credit > 0) continue;
      const result = await stream.next("result");
      expect(result.faces.length).toBe(1);
      credit += result.credit;
    }
    stream.halfClose();
    const rest = await stream.rest();
    const results = only(rest, "result");
    expect(results.map(({ sequence }) => sequence)).toEqual([10n, 11n, 12n]);
    const parts = (["decode", "queue", "faces", "inference"] as const).map((stage) => stageMs(results, stage));
    expect(parts.flat().length).toBe(4 * results.length);
    for (const ms of parts.flat()) expect(ms).toBeGreaterThan(0);
    for (const [i, total] of stageMs(results, "total").entries()) {
      // Durations are told to the nanosecond.
      expect(total).toBeGreaterThanOrEqual(parts.reduce((sum, ms) => sum + ms[i]!, 0) - 1e-5);
    }
    expect(only(rest, "summary")[0]).toMatchObject({ framesReceived: 12n, framesAnswered: 12n, framesDropped: 0n });
  });

  it("waits in the transport when it comes without credit", async () => {
    const stream = openStream(server.grpc);
    for (let sequence = 1n; sequence <= 40n; sequence++) stream.frame({ sequence, image: smile });
    stream.halfClose();
    const results = only(await stream.rest(), "result");
    expect(results.map(({ sequence }) => Number(sequence))).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  });

  it("has its capture time and number in its answer, and is dropped alone when it is bad", async () => {
    const stream = openStream(server.grpc);
    await stream.next("configured");
    const captureTime = { seconds: 1_700_000_000n, nanos: 500 };
    stream.frame({ sequence: 5n, image: smile, captureTime });
    expect(await stream.next("result")).toMatchObject({ sequence: 5n, captureTime });
    stream.frame({ sequence: 6n, image: smile, faceBox: { left: 0, top: 0, width: -1, height: 5 } });
    expect(await stream.next("dropped")).toMatchObject({ sequence: 6n, reason: DropReason.INVALID, credit: 1 });
    stream.frame({ sequence: 4n, image: smile, captureTime });
    const backwards = await stream.next("dropped");
    expect(backwards).toMatchObject({ sequence: 4n, reason: DropReason.INVALID, captureTime });
    expect(backwards.detail).toBe("Expected a sequence number above 6, got 4");
    stream.frame({ sequence: 7n });
    expect((await stream.next("dropped")).detail).toBe("Expected an encoded image or raw pixels, got neither");
    stream.frame({ sequence: 8n, image: smile, captureTime: { seconds: 2n ** 62n, nanos: 0 } });
    expect((await stream.next("dropped")).detail).toContain("capture_time: must be");
    stream.frame({ sequence: 9n, image: smile });
    await stream.next("result");
    stream.halfClose();
    expect(await stream.next("summary")).toMatchObject({
      framesReceived: 6n,
      framesAnswered: 2n,
      framesDropped: 4n,
      drops: [{ reason: DropReason.INVALID, frames: 4n }],
    });
  });
});

describe("latest wins", () => {
  it("answers every frame once, scores the newest, and tells the others that they are stale", async () => {
    const stream = openStream(server.grpc, { policy: FramePolicy.LATEST_WINS });
    const frames = 60;
    for (let sequence = 1; sequence <= frames; sequence++) stream.frame({ sequence: BigInt(sequence), image: smile });
    stream.halfClose();
    const answers = await stream.rest();
    const results = only(answers, "result").map(({ sequence }) => Number(sequence));
    const dropped = only(answers, "dropped");
    expect([...results, ...dropped.map(({ sequence }) => Number(sequence))].sort((a, b) => a - b)).toEqual(
      Array.from({ length: frames }, (_, i) => i + 1),
    );
    expect(results).toEqual([...results].sort((a, b) => a - b));
    expect(results.at(-1)).toBe(frames);
    expect(new Set(dropped.map(({ reason }) => reason))).toEqual(new Set([DropReason.STALE]));
    for (const { credit } of dropped) expect(credit).toBe(1);
    const [summary] = only(answers, "summary");
    expect(summary!.framesAnswered + summary!.framesDropped).toBe(BigInt(frames));
    expect(summary!.drops).toMatchObject([{ reason: DropReason.STALE, frames: BigInt(dropped.length) }]);
  });
});

describe("raw pixels", () => {
  const width = 320;
  const height = 320;
  /** The photograph in each format, its rows 13 bytes apart. */
  async function rawSmile(format: keyof typeof PixelFormat) {
    const rgb = await sharp(smile).resize(width, height).removeAlpha().raw().toBuffer();
    const rowBytes = { RGB: 3, RGBA: 4, GRAY8: 1, NV12: 1, UNSPECIFIED: 1 }[format] * width;
    const stride = rowBytes + 13;
    const rows = format === "NV12" ? height * 1.5 : height;
    const data = new Uint8Array(stride * rows).fill(7);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [r = 0, g = 0, b = 0] = rgb.subarray(3 * (y * width + x), 3 * (y * width + x) + 3);
        const luma = 0.299 * r + 0.587 * g + 0.114 * b;
        if (format === "RGB" || format === "RGBA") {
          data.set(format === "RGB" ? [r, g, b] : [r, g, b, 255], stride * y + (x * rowBytes) / width);
        } else if (format === "GRAY8") {
          data[stride * y + x] = luma;
        } else {
          data[stride * y + x] = 16 + (luma * 219) / 255;
          const chroma = stride * (height + (y >> 1)) + (x & ~1);
          data[chroma] = 128 + ((b - luma) / 1.772) * (224 / 255);
          data[chroma + 1] = 128 + ((r - luma) / 1.402) * (224 / 255);
        }
      }
    }
    return { format: PixelFormat[format], width, height, stride, data };
  }

  it.each(["RGB", "RGBA", "GRAY8", "NV12"] as const)(
    "of %s with a stride are scored like the encoded image",
    async (format) => {
      const png = await sharp(smile).resize(width, height).png().toBuffer();
      const stream = openStream(server.grpc, { tracking: { detectEvery: 1 } });
      await stream.next("configured");
      stream.frame({ sequence: 1n, image: png });
      stream.frame({ sequence: 2n, raw: await rawSmile(format) });
      const [encoded, raw] = [await stream.next("result"), await stream.next("result")];
      expect(raw.imageSize).toMatchObject({ width, height });
      const tolerance = format === "GRAY8" ? 0.2 : 0.05;
      expect(Math.abs(scoreOf(raw.faces[0], 12)!.score - scoreOf(encoded.faces[0], 12)!.score)).toBeLessThan(tolerance);
      stream.halfClose();
    },
  );

  it("with a wrong stride, too few bytes or no format are dropped with what was expected", async () => {
    const stream = openStream(server.grpc);
    await stream.next("configured");
    const raw = await rawSmile("RGB");
    const refused = [
      {
        raw: { ...raw, stride: 100 },
        detail: "Expected a stride of at least 960 bytes for 320 pixels of rgb, got 100",
      },
      { raw: { ...raw, data: raw.data.subarray(20) }, detail: "bytes for 320x320 pixels of rgb with a stride of 973" },
      { raw: { ...raw, format: PixelFormat.UNSPECIFIED }, detail: "Expected RGB, RGBA, GRAY8 or NV12" },
      { raw: { ...raw, height: 0 }, detail: "Expected at least 1x1 pixels, got 320x0" },
      { raw, image: smile, detail: "Expected an encoded image or raw pixels, got both" },
    ];
    for (const [i, { detail, ...frame }] of refused.entries()) {
      stream.frame({ sequence: BigInt(i + 1), ...frame });
      const dropped = await stream.next("dropped");
      expect(dropped.detail).toContain(detail);
      expect(dropped.reason).toBe(DropReason.INVALID);
    }
    stream.frame({ sequence: 99n, raw: { ...raw, width: 20_000, stride: 60_000 } });
    expect((await stream.next("dropped")).reason).toBe(DropReason.TOO_LARGE);
    stream.frame({ sequence: 100n, raw });
    expect((await stream.next("result")).faces.length).toBe(1);
    stream.halfClose();
  });

  it("WebP and PNG are images too", async () => {
    const stream = openStream(server.grpc);
    await stream.next("configured");
    stream.frame({ sequence: 1n, image: await sharp(smile).webp().toBuffer() });
    stream.frame({ sequence: 2n, image: await sharp(smile).png().toBuffer() });
    for (let i = 0; i < 2; i++) expect((await stream.next("result")).faces.length).toBe(1);
    stream.halfClose();
  });
});

describe("several faces", () => {
  it("are answered largest first, each with its id, and are the same faces in the next frame", async () => {
    const [a, b] = await Promise.all(
      ["material-kit/assets/img/faces/marc.jpg", "material-kit/assets/img/faces/kendall.jpg"].map(readPackaged),
    );
    const side = (image: Buffer, pixels: number) => sharp(image).resize(pixels, pixels, { fit: "cover" }).toBuffer();
    const together = await sharp({ create: { width: 900, height: 400, channels: 3, background: "#777" } })
      .composite([
        { input: await side(smile, 280), left: 10, top: 60 },
        { input: await side(a!, 400), left: 300, top: 0 },
        { input: await side(b!, 190), left: 705, top: 100 },
      ])
      .jpeg()
      .toBuffer();
    const stream = openStream(server.grpc, { outputs: { headPose: true, quality: true } });
    await stream.next("configured");
    for (const sequence of [1n, 2n, 3n]) stream.frame({ sequence, image: together });
    stream.halfClose();
    const results = only(await stream.rest(), "result");
    for (const { faces } of results) {
      expect(faces.length).toBe(3);
      const areas = faces.map(({ box }) => box!.width * box!.height);
      expect(areas).toEqual([...areas].sort((p, q) => q - p));
      expect(faces.map(({ faceId }) => faceId)).toEqual([1n, 2n, 3n]);
      for (const { headPose, quality } of faces) {
        expect(Math.abs(headPose!.rollDegrees)).toBeLessThan(30);
        expect(quality!.sizePx).toBeGreaterThan(40);
        expect(quality!.inside).toBeGreaterThan(0.8);
      }
    }
    expect(results.length).toBe(3);
  });
});

describe("a stop", () => {
  const streamingServer = async (graceMs: number) => {
    const own = await temporaryFolder();
    const process = await startServer("detector", own.path, { args: ["--going-away-grace-ms", String(graceMs)] });
    return { process, own };
  };

  it("is told to streams, which go on until they half-close", async () => {
    const { process, own } = await streamingServer(60_000);
    const stream = openStream(process.grpc);
    await stream.next("configured");
    stream.frame({ sequence: 1n, image: smile });
    expect((await stream.next("result")).credit).toBe(1);
    const ended = process.end("SIGTERM");
    const goingAway = await stream.next("goingAway");
    expect(durationMs(goingAway.reconnectAfter!)).toBe(1000);
    expect(durationMs(goingAway.grace!)).toBe(60_000);
    stream.frame({ sequence: 2n, image: smile });
    expect(await stream.next("result")).toMatchObject({ sequence: 2n, credit: 0 });
    stream.halfClose();
    expect(await stream.next("summary")).toMatchObject({ framesAnswered: 2n });
    expect(await ended).toBe(0);
    await own[Symbol.asyncDispose]();
  });

  it("ends a stream that goes on after its grace, with a summary and no error", async () => {
    const { process, own } = await streamingServer(100);
    const stream = openStream(process.grpc);
    await stream.next("configured");
    for (let sequence = 1n; sequence <= 200n; sequence++) stream.frame({ sequence, image: smile });
    await stream.next("result");
    const ended = process.end("SIGTERM");
    const answers = await stream.rest();
    const [summary] = only(answers, "summary");
    expect(answers.at(-1)?.case).toBe("summary");
    const told = only(answers, "result").length + 1 + only(answers, "dropped").length;
    expect(BigInt(told)).toBe(summary!.framesReceived);
    for (const { reason } of only(answers, "dropped")) expect(reason).toBe(DropReason.GOING_AWAY);
    expect(await ended).toBe(0);
    await own[Symbol.asyncDispose]();
  });
});

describe("clients that vanish", () => {
  it("leave nothing behind and disturb nobody: 1000 streams, where 64 may be open", async () => {
    const own = await temporaryFolder();
    // Long enough for the test to fail if the server had to wait for a stream that is left.
    const args = ["--max-streams-per-peer", "64", "--going-away-grace-ms", "600000"];
    const process = await startServer("detector", own.path, { args });
    const steady = openStream(process.grpc);
    await steady.next("configured");
    const small = await grayImage(64, 64);
    for (let round = 0; round < 20; round++) {
      const stop = new AbortController();
      const streams = Array.from({ length: 50 }, (_, i) =>
        openStream(process.grpc, i % 2 === 0 ? {} : { policy: FramePolicy.LATEST_WINS }, stop.signal),
      );
      await Promise.all(
        streams.map(async (stream) => {
          await stream.next("configured");
          for (const sequence of [1n, 2n, 3n]) stream.frame({ sequence, image: small });
        }),
      );
      stop.abort();
      await Promise.all(streams.map((stream) => stream.rest().catch(() => [])));
      steady.frame({ sequence: BigInt(round + 1), image: small });
      await steady.next("result");
    }
    steady.halfClose();
    await steady.next("summary");
    expect(process.log()).not.toContain('"level":"error"');
    expect(await process.end("SIGTERM")).toBe(0);
    await own[Symbol.asyncDispose]();
  });
});
