import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { createRandom } from "@duchenne/data";
import { createGraphBuilder } from "@duchenne/onnx";
import { FrameSchema, PixelFormat, type StreamDetectRequest, StreamDetectRequestSchema } from "@duchenne/proto";
import { checkMessage } from "@duchenne/rpc";
import {
  type AuModel,
  createVisionEngine,
  describeBuiltInModel,
  PLAIN_BATCHING,
  type VisionEngine,
} from "@duchenne/vision";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { detectionRequestFrom } from "../convert.ts";
import { calibrationRequest } from "./calibration-message.ts";
import { dropFrom } from "./frame-drop.ts";
import { streamSettings } from "./stream-settings.ts";

const CASES = 20_000;
const MUST_REACH_DECODER = 5_000;
const SEED = 7;
/** Images in work at once. */
const AT_ONCE = 64;

let folder: string;
let engine: VisionEngine;
let model: AuModel;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "duchenne-fuzz-"));
  const graph = createGraphBuilder({ name: "mean", opset: 17 });
  const mean = graph.node("ReduceMean", [graph.input("image", ["B", 3, 8, 8])], { axes: [1, 2, 3], keepdims: 0 });
  const shape = graph.integers([-1, 1]);
  for (const output of ["logits", "features"]) {
    graph.node("Reshape", [mean, shape], {}, output);
    graph.output(output, ["B", 1]);
  }
  const path = join(folder, "mean.onnx");
  await writeFile(path, graph.build());
  engine = createVisionEngine({ workers: 1, imageLimits: { maxBytes: 20_000, maxSide: 256 } });
  const unit = { actionUnit: 12, threshold: 0.5, thresholdOrigin: "convention", thresholdNote: "" } as const;
  const source = { kind: "vit", path, imageSize: 8, description: "", actionUnits: [unit] } as const;
  model = await engine.load(source);
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

type Message = NonNullable<MessageInitShape<typeof StreamDetectRequestSchema>["message"]>;

/** Well-formed messages that cases are made of. */
async function corpus(): Promise<{ readonly messages: Message[]; readonly images: Uint8Array[] }> {
  const pixels = Uint8Array.from({ length: 24 * 16 * 3 }, (_, i) => (i * 37) % 256);
  const picture = () => sharp(pixels, { raw: { width: 24, height: 16, channels: 3 } });
  const images = await Promise.all([
    picture().jpeg().toBuffer(),
    picture().jpeg({ progressive: true }).withMetadata({ orientation: 6 }).toBuffer(),
    picture().png().toBuffer(),
    picture().png({ palette: true }).toBuffer(),
    picture().webp().toBuffer(),
    picture().webp({ lossless: true }).toBuffer(),
    picture().gif().toBuffer(),
  ]);
  const raw = { width: 24, height: 16, stride: 0, data: pixels, format: PixelFormat.RGB };
  const raws = [
    raw,
    { ...raw, format: PixelFormat.NV12, stride: 30, data: pixels.subarray(0, 30 * 24) },
    { ...raw, format: PixelFormat.GRAY8, data: pixels.subarray(0, 384) },
    { ...raw, format: PixelFormat.RGBA, width: 18 },
  ];
  const faceBox = { left: 1, top: 2, width: 10, height: 10 };
  const messages: Message[] = [
    ...images.map((image): Message => ({ case: "frame", value: { sequence: 3n, image } })),
    ...raws.map((each): Message => ({ case: "frame", value: { sequence: 4n, raw: each } })),
    { case: "frame", value: { sequence: 5n, image: images[0]!, faceBox } },
    { case: "configuration", value: { model: "models/a@live", maxFaces: 3, priority: 1, outputs: { logits: true } } },
    {
      case: "configuration",
      value: { smoothing: { filter: { case: "oneEuro", value: { minCutoffHz: 1, beta: 0.1 } } } },
    },
    {
      case: "calibration",
      value: { faceId: 1n, action: { case: "baseline", value: { scores: [{ actionUnit: 12, score: 0.1 }] } } },
    },
    { case: "calibration", value: { action: { case: "measure", value: { frames: 3 } } } },
  ];
  return { messages, images };
}

it(`${CASES} mutated messages and images: each is scored, or refused with a reason, and the next is not disturbed`, async () => {
  const random = createRandom([SEED, "fuzz"]);
  const { messages, images } = await corpus();
  const outcomes = new Map<string, number>();
  const count = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  let reachedDecoder = 0;

  /** Bits flipped, bytes overwritten, cut away, doubled or taken from elsewhere. */
  function mutate(bytes: Uint8Array, donor: Uint8Array): Uint8Array {
    let out = new Uint8Array(bytes);
    for (let times = 1 + random.integer(4); times > 0 && out.length > 0; times--) {
      const at = random.integer(out.length);
      const length = 1 + random.integer(16);
      switch (random.integer(6)) {
        case 0:
          out[at]! ^= 1 << random.integer(8);
          break;
        case 1:
          out[at] = [0, 1, 127, 128, 255][random.integer(5)]!;
          break;
        case 2:
          out = out.slice(0, at);
          break;
        case 3:
          out = Uint8Array.from([...out.subarray(0, at), ...out.subarray(at + length)]);
          break;
        case 4:
          out = Uint8Array.from([...out.subarray(0, at), ...out.subarray(at, at + length), ...out.subarray(at)]);
          break;
        default: {
          const from = random.integer(donor.length);
          out.set(donor.subarray(from, from + Math.min(length, out.length - at)), at);
        }
      }
    }
    return out;
  }

  /** A case as it comes over the wire: a mutated message, or a whole message around a mutated image. */
  function nextCase(): Uint8Array {
    const donor = images[random.integer(images.length)]!;
    if (random.integer(2) === 0) {
      const image = mutate(images[random.integer(images.length)]!, donor);
      const message: Message = { case: "frame", value: { sequence: 1n, image, imageIsCrop: true } };
      return toBinary(StreamDetectRequestSchema, create(StreamDetectRequestSchema, { message }));
    }
    const message = messages[random.integer(messages.length)]!;
    return mutate(toBinary(StreamDetectRequestSchema, create(StreamDetectRequestSchema, { message })), donor);
  }

  const defaults = { maxFaces: 8, detectEvery: 5, batching: PLAIN_BATCHING };
  async function take({ message }: StreamDetectRequest): Promise<string> {
    switch (message.case) {
      case "configuration":
        streamSettings(message.value, defaults);
        return "configuration";
      case "calibration":
        calibrationRequest(message.value, describeBuiltInModel());
        return "calibration";
      case "frame": {
        checkMessage(FrameSchema, message.value);
        const request = detectionRequestFrom(message.value, undefined, 1);
        reachedDecoder++;
        const found = await model.find({ ...request, faceBox: undefined, imageIsCrop: true });
        expect(found.faces[0]!.input.every(Number.isFinite)).toBe(true);
        return "frame decoded";
      }
      default:
        return "empty";
    }
  }

  async function run(bytes: Uint8Array, number: number): Promise<void> {
    let message: StreamDetectRequest;
    try {
      message = fromBinary(StreamDetectRequestSchema, bytes);
    } catch {
      count("not a message");
      return;
    }
    try {
      checkMessage(StreamDetectRequestSchema, message);
      count(await take(message));
    } catch (error) {
      const { code, reason } = error as { readonly code?: unknown; readonly reason?: unknown };
      expect(code, `case ${number}: ${error instanceof Error ? error.stack : error}`).toBe("invalid_argument");
      expect(dropFrom(error)?.detail).not.toBe("");
      count(String(reason));
    }
  }

  for (let first = 0; first < CASES; first += AT_ONCE) {
    const batch = Array.from({ length: Math.min(AT_ONCE, CASES - first) }, nextCase);
    await Promise.all(batch.map((bytes, i) => run(bytes, first + i)));
  }
  const clean = await model.find({ image: images[0]!, maxFaces: 1, imageIsCrop: true });
  expect(clean.imageSize).toEqual({ width: 24, height: 16 });
  console.log(
    `seed ${SEED}, ${messages.length} messages and ${images.length} images, ${CASES} cases, ${reachedDecoder} at the decoder:`,
    Object.fromEntries([...outcomes].sort(([, p], [, q]) => q - p)),
  );
  expect(reachedDecoder).toBeGreaterThanOrEqual(MUST_REACH_DECODER);
}, 600_000);
