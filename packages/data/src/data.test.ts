import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createBatchOrder } from "./batch-order.ts";
import { cropFace, IMAGENET_MEAN, IMAGENET_STD, normaliseImage } from "./image.ts";
import { createImageLoader, mirrorInBatch } from "./image-loader.ts";
import { UnreadableImageError } from "./input/sample-source.ts";
import { ManifestError } from "./manifest-error.ts";
import { openDataset } from "./open-dataset.ts";
import { createRandom } from "./random.ts";
import { splitBySubject, splitWithinSubject } from "./split.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "duchenne-data-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function writeDataset(lines: readonly unknown[], configuration: object = { name: "own", actionUnits: [1, 12] }) {
  await writeFile(join(folder, "dataset.json"), JSON.stringify(configuration));
  const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n");
  await writeFile(join(folder, "manifest.jsonl"), text);
}

const picture = () =>
  sharp({ create: { width: 8, height: 8, channels: 3, background: "#804020" } })
    .png()
    .toBuffer();

describe("normaliseImage", () => {
  it("is (value / 255 - mean) / std, channels first, in single precision", () => {
    const out = normaliseImage({ width: 2, height: 1, data: Uint8Array.of(255, 0, 51, 0, 255, 102) });
    const expected = [
      [255, 0],
      [0, 255],
      [51, 102],
    ].flatMap((plane, c) => plane.map((value) => (value / 255 - IMAGENET_MEAN[c]!) / IMAGENET_STD[c]!));
    for (const [i, value] of expected.entries()) expect(out[i]).toBeCloseTo(value, 6);
  });
});

describe("cropFace", () => {
  const image = {
    width: 20,
    height: 10,
    data: Uint8Array.from({ length: 600 }, (_, i) => Math.floor(i / 3) % 200),
  };
  it("cuts the box and its margin", () => {
    const crop = cropFace(image, { left: 5, top: 3, width: 4, height: 4 }, { size: 4, margin: 0 });
    expect(crop.data[0]).toBe(3 * 20 + 5);
    expect(crop.data.at(-1)).toBe(6 * 20 + 8);
  });
  it("is black outside of the image", () => {
    const crop = cropFace(image, { left: -4, top: 0, width: 8, height: 8 }, { size: 8, margin: 0 });
    expect([...crop.data.subarray(0, 12)]).toEqual(Array(12).fill(0));
    expect(crop.data[15]).toBe(1);
  });
  it("refuses a box that misses the image", () => {
    expect(() => cropFace(image, { left: 30, top: 0, width: 4, height: 4 }, { size: 4 })).toThrow(/meets the 20x10/);
  });
});

describe("openDataset", () => {
  it("lists every problem with its line", async () => {
    await writeFile(join(folder, "a.png"), await picture());
    await writeDataset([
      { image: "a.png", subject: "s1", actionUnits: { "1": 3 } },
      "not json",
      { image: "missing.png", subject: "s1", actionUnits: {} },
      { image: "a.png", subject: "s2", actionUnits: { "99": 1 } },
      { image: "../outside.png", subject: "s2", actionUnits: {} },
      { image: "b.png", actionUnits: { "12": 9 } },
    ]);
    const error = await openDataset(folder).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(ManifestError);
    expect(error.code).toBe("invalid_argument");
    expect(error.violations.map(({ field }: { field: string }) => field)).toEqual([
      "manifest.jsonl:2",
      "manifest.jsonl:4:image",
      "manifest.jsonl:4:actionUnits.99",
      "manifest.jsonl:5:image",
      "manifest.jsonl:6:subject",
      "manifest.jsonl:3:image",
      "manifest.jsonl:6:image",
    ]);
  });

  it("keeps what is not labelled as unknown", async () => {
    await writeFile(join(folder, "a.png"), await picture());
    await writeDataset([{ image: "a.png", subject: "s1", actionUnits: { "12": 1.5 } }]);
    const { samples } = await openDataset(folder);
    expect([...samples[0]!.occurrence]).toEqual([-1, 0]);
  });

  it("refuses an unknown action unit of the configuration", async () => {
    await writeDataset([], { name: "own", actionUnits: [1, 3] });
    await expect(openDataset(folder)).rejects.toThrow(/Unknown action unit 3/);
  });

  it.each([["an empty manifest", [], /empty manifest/]])("refuses %s", async (_, lines, message) => {
    await writeDataset(lines);
    await expect(openDataset(folder)).rejects.toThrow(message);
  });

  it("refuses a folder without files", async () => {
    await expect(openDataset(join(folder, "none"))).rejects.toThrow(/dataset.json/);
  });
});

describe("createImageLoader", () => {
  it("names an image that cannot be decoded", async () => {
    await writeFile(join(folder, "a.png"), "no picture");
    await writeDataset([{ image: "a.png", subject: "s1", actionUnits: {} }]);
    const loader = createImageLoader(await openDataset(folder), { imageSize: 8 });
    await expect(loader.load([0])).rejects.toThrow(UnreadableImageError);
  });

  it("gives the same images from its cache and without one", async () => {
    await writeFile(join(folder, "a.png"), await picture());
    await writeDataset([
      { image: "a.png", subject: "s1", actionUnits: {}, box: { left: 2, top: 2, width: 4, height: 4 } },
    ]);
    const dataset = await openDataset(folder);
    const cached = createImageLoader(dataset, { imageSize: 16 });
    const plain = createImageLoader(dataset, { imageSize: 16, cacheBytes: 0 });
    await cached.load([0]);
    expect(await cached.load([0, 0])).toEqual(await plain.load([0, 0]));
  });

  it("mirrors one image of a batch", () => {
    const batch = Float32Array.from({ length: 2 * 3 * 4 }, (_, i) => i);
    mirrorInBatch(batch, 1, 2);
    expect([...batch.subarray(0, 12)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect([...batch.subarray(12, 16)]).toEqual([13, 12, 15, 14]);
  });
});

describe("splits", () => {
  const subjects = ["a", "b", "c", "d", "e"];
  const samples = Array.from({ length: 50 }, (_, i) => ({ subjectIndex: i % 5 }));
  const dataset = { subjects, samples };

  it("by subject shares no subject and loses no frame", () => {
    const { train, test } = splitBySubject(dataset, { testFraction: 0.4, seed: 1 });
    const held = new Set([...test].map((i) => samples[i]!.subjectIndex));
    expect(held.size).toBe(2);
    expect([...train].some((i) => held.has(samples[i]!.subjectIndex))).toBe(false);
    expect([...train, ...test].sort((p, q) => p - q)).toEqual(samples.map((_, i) => i));
  });

  it("within subject has every subject on both sides", () => {
    const { train, test } = splitWithinSubject(dataset, { testFraction: 0.3, seed: 1 });
    for (const part of [train, test]) expect(new Set([...part].map((i) => samples[i]!.subjectIndex)).size).toBe(5);
    expect(test).toHaveLength(15);
  });
});

describe("createBatchOrder", () => {
  const options = { count: 10, batchSize: 4, seed: 1, shuffle: true, dropLast: false };
  it("visits every position once an epoch, in another order each epoch", () => {
    const order = createBatchOrder(options);
    const epochs = [0, 1].map((epoch) => [0, 1, 2].flatMap((i) => [...order.batch(epoch, i)]));
    for (const epoch of epochs) expect([...epoch].sort((p, q) => p - q)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(epochs[0]).not.toEqual(epochs[1]);
  });
  it("depends on seed and epoch alone", () => {
    const visited = createBatchOrder(options);
    visited.batch(0, 0);
    expect(visited.batch(5, 1)).toEqual(createBatchOrder(options).batch(5, 1));
  });
  it("leaves out a short batch when told to", () => {
    expect(createBatchOrder({ ...options, dropLast: true }).batchesPerEpoch).toBe(2);
  });
});

describe("createRandom", () => {
  it("continues from a stored state", () => {
    const random = createRandom([1, "x"]);
    random.normal();
    const copy = createRandom({ state: random.state() });
    expect([copy.uniform(), copy.integer(1000)]).toEqual([random.uniform(), random.integer(1000)]);
  });
  it("draws uniform and normal numbers with the right moments", () => {
    const random = createRandom([7]);
    const uniform = Array.from({ length: 20_000 }, () => random.uniform());
    const normal = Array.from({ length: 20_000 }, () => random.normal());
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(uniform)).toBeCloseTo(0.5, 1);
    expect(mean(normal)).toBeCloseTo(0, 1);
    expect(mean(normal.map((value) => value * value))).toBeCloseTo(1, 1);
  });
});
