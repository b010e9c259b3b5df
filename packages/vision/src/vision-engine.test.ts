import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGraphBuilder } from "@duchenne/onnx";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  annotateImage,
  createOnnxRunner,
  createVisionEngine,
  decodeImage,
  FaceTracker,
  type VisionEngine,
} from "./index.ts";

let folder: string;
let onnx: string;
let engine: VisionEngine;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "duchenne-vision-"));
  onnx = join(folder, "mean.onnx");
  await writeFile(onnx, meanModel());
  engine = createVisionEngine({ workers: 2 });
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

/** A "model" whose one logit and one feature are the mean of the normalised image. */
function meanModel(): Uint8Array {
  const graph = createGraphBuilder({ name: "mean", opset: 17 });
  const image = graph.input("image", ["B", 3, 8, 8]);
  const mean = graph.node("ReduceMean", [image], { axes: [1, 2, 3], keepdims: 0 });
  const shape = graph.integers([-1, 1]);
  graph.node("Reshape", [mean, shape], {}, "logits");
  graph.node("Reshape", [mean, shape], {}, "features");
  graph.output("logits", ["B", 1]);
  graph.output("features", ["B", 1]);
  return graph.build();
}

const source = () =>
  ({
    kind: "vit",
    path: onnx,
    imageSize: 8,
    description: "The mean",
    actionUnits: [{ actionUnit: 12, threshold: 0.5, thresholdOrigin: "convention", thresholdNote: "" }],
    boxConvention: "face-oval+5%",
  }) as const;

const solid = (level: number, width = 20, height = 10) =>
  sharp({ create: { width, height, channels: 3, background: { r: level, g: level, b: level } } })
    .png()
    .toBuffer();

describe("a vision transformer", () => {
  it("scores a crop: normalised as in training, sigmoid of the logit", async () => {
    const model = await engine.load(source());
    const { faces, imageSize } = await model.run({
      image: await solid(255),
      maxFaces: 1,
      imageIsCrop: true,
      logits: true,
      embeddings: true,
    });
    const expected = ((1 - 0.485) / 0.229 + (1 - 0.456) / 0.224 + (1 - 0.406) / 0.225) / 3;
    expect(imageSize).toEqual({ width: 20, height: 10 });
    const [score] = faces[0]!.scores;
    expect(score!.logit).toBeCloseTo(expected, 4);
    expect(score!.score).toBeCloseTo(1 / (1 + Math.exp(-expected)), 4);
    expect(faces[0]!.embedding![0]).toBeCloseTo(expected, 4);
    await model.dispose();
  });

  it("is refused when its file is no model, and leaves the engine well", async () => {
    const path = join(folder, "broken.onnx");
    await writeFile(path, "broken");
    await expect(engine.load({ ...source(), path })).rejects.toMatchObject({ reason: "MODEL_LOAD_FAILED" });
    await (await engine.load(source())).dispose();
  });

  it("warns when its box convention is not known", async () => {
    const model = await engine.load({ ...source(), boxConvention: undefined });
    expect(model.describe().warnings[0]).toContain("does not record its box convention");
    await model.dispose();
  });

  it("answers many images at once, each its own", async () => {
    const model = await engine.load(source());
    const levels = Array.from({ length: 24 }, (_, i) => 10 * i);
    const logits = await Promise.all(
      levels.map(async (level) => {
        const image = await solid(level);
        const { faces } = await model.run({ image, maxFaces: 1, imageIsCrop: true, logits: true });
        return faces[0]!.scores[0]!.logit!;
      }),
    );
    expect([...logits].sort((a, b) => a - b)).toEqual(logits);
    await model.dispose();
  });

  it("counts the time that an image waits against its limit, and not the time that it is worked on", async () => {
    const model = await engine.load(source());
    const request = { image: await solid(1), maxFaces: 1, imageIsCrop: true };
    const earlier = performance.now() - 60_000;
    await expect(model.find(request, { receivedMs: earlier, timeoutMs: 59_000 })).rejects.toMatchObject({
      reason: "QUEUE_TIMEOUT",
    });
    const found = await model.find(request, { timeoutMs: 59_000 });
    // As if its faces had been looked for for a minute, or had waited so long.
    expect((await model.score({ ...found, receivedMs: earlier }, { timeoutMs: 59_000 })).faces.length).toBe(1);
    await expect(model.score({ ...found, queueMs: 60_000 }, { timeoutMs: 59_000 })).rejects.toMatchObject({
      reason: "QUEUE_TIMEOUT",
    });
    await model.dispose();
  });

  it("tells when the search begins, and when the scores do", async () => {
    const model = await engine.load(source());
    const told: string[] = [];
    const request = { image: await solid(1), maxFaces: 1, imageIsCrop: true };
    const found = await model.find(request, { onStart: () => told.push("find") });
    await model.score(found, { onStart: () => told.push("score") });
    await model.score({ ...found, faces: [] }, { onStart: () => told.push("score of nobody") });
    await model.run(request, { onStart: () => told.push("run") });
    expect(told).toEqual(["find", "score", "score of nobody", "run"]);
    await model.dispose();
  });

  it("works on several crops of one stream at once, though its faces are followed", async () => {
    const model = await engine.load(source());
    const tracker = new FaceTracker({ detectEvery: 5, memoryMs: 1000 });
    const events: string[] = [];
    const image = await solid(1, 640, 480);
    const find = async (name: string) => {
      const onStart = () => events.push(`${name} begun`);
      const found = await model.find({ image, maxFaces: 1, imageIsCrop: true }, { stream: "one", tracker, onStart });
      events.push(`${name} found`);
      return found;
    };
    const [first] = await Promise.all([find("first"), find("second")]);
    expect(events.slice(0, 2)).toEqual(["first begun", "second begun"]);
    expect(first.faceIds).toBe(undefined);
    await model.dispose();
  });

  it("refuses too large an image before it takes a place in the queue", async () => {
    const own = createVisionEngine({ workers: 1, imageLimits: { maxBytes: 1000, maxSide: 100 } });
    const model = await own.load(source());
    let begun = false;
    const onStart = () => {
      begun = true;
    };
    for (const [bytes, reason] of [
      [1001, "IMAGE_TOO_LARGE"],
      [0, "INVALID_IMAGE"],
    ] as const) {
      const request = { image: new Uint8Array(bytes), maxFaces: 1 };
      await expect(model.find(request, { onStart })).rejects.toMatchObject({ reason });
    }
    expect(begun).toBe(false);
    await own.close();
  });

  it("can be given up", async () => {
    const model = await engine.load(source());
    const stop = new AbortController();
    const image = await solid(1);
    const runs = Array.from({ length: 8 }, () =>
      model.run({ image, maxFaces: 1, imageIsCrop: true }, { signal: stop.signal }).catch((error: unknown) => error),
    );
    stop.abort(new Error("enough"));
    expect((await Promise.all(runs)).some((each) => each instanceof Error && each.message === "enough")).toBe(true);
    await model.dispose();
  });
});

describe("an engine", () => {
  it("rejects what waits when it is closed", async () => {
    const own = createVisionEngine({ workers: 1 });
    const model = await own.load(source());
    await own.close();
    await expect(model.run({ image: await solid(1), maxFaces: 1 })).rejects.toMatchObject({
      name: "EngineClosedError",
    });
  });

  it("runs batches of tensors beside", async () => {
    const runner = await createOnnxRunner(onnx);
    const images = new Float32Array(2 * 3 * 8 * 8).fill(2, 192);
    const { logits } = await runner.run(images, 2);
    expect([...logits]).toEqual([0, 2]);
    await runner.close();
  });
});

describe("decodeImage", () => {
  it("applies the EXIF orientation and turns grey and transparent images to RGB", async () => {
    const turned = await sharp(await solid(9))
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    expect(await decodeImage(turned)).toMatchObject({ width: 10, height: 20 });
    const grey = await sharp(await solid(100))
      .toColourspace("b-w")
      .png()
      .toBuffer();
    expect((await decodeImage(grey)).data.subarray(0, 3)).toEqual(Buffer.from([100, 100, 100]));
    const clear = await sharp({
      create: { width: 4, height: 4, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0 } },
    })
      .png()
      .toBuffer();
    expect([...(await decodeImage(clear)).data.subarray(0, 3)]).toEqual([0, 0, 0]);
  });
  it("takes images up to its limits", async () => {
    const limits = { maxBytes: 10_000, maxSide: 20 };
    await decodeImage(await solid(1), limits);
    await expect(decodeImage(await solid(1, 21, 4), limits)).rejects.toMatchObject({
      reason: "IMAGE_TOO_LARGE",
      message: "Expected an image of 1..20 pixels a side, got 21x4",
    });
    await expect(decodeImage(Buffer.alloc(10_001), limits)).rejects.toMatchObject({ reason: "IMAGE_TOO_LARGE" });
  });
});

describe("annotateImage", () => {
  it("draws a panel beside the photograph", async () => {
    const scores = [{ actionUnit: 12, score: 0.8, threshold: 0.5, present: true }];
    const png = await annotateImage(
      await solid(50, 640, 480),
      [{ box: { left: 10, top: 10, width: 50, height: 50 }, scores }],
      {
        title: "test",
      },
    );
    const { width, height, format } = await sharp(png).metadata();
    expect({ width, height, format }).toEqual({ width: 640 + 420 + 48, height: 480, format: "png" });
    const none = await annotateImage(await solid(50, 640, 480), [], { title: "test" });
    expect(none.equals(png)).toBe(false);
  });
});
