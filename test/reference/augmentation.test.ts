import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import {
  AUGMENTATIONS,
  createRandom,
  drawCrop,
  drawErasing,
  normaliseImage,
  OPERATION_NAMES,
  OPERATIONS,
  type OperationName,
  type RgbImage,
  resample,
} from "@duchenne/data";
import sharp from "sharp";
import { describe, expect, it } from "vitest";

interface Crop {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}
interface Moments {
  readonly mean: number[];
  readonly std: number[];
  readonly count: number;
}
type Filter = "bilinear" | "bicubic";
interface Fixture {
  readonly images: Record<string, { width: number; height: number; data: string }>;
  readonly operations: { name: OperationName; argument: number; image: string; data: string }[];
  readonly resizes: { filter: Filter; width: number; height: number; data: string }[];
  readonly crops: { filter: Filter; crop: Crop; size: number; data: string }[];
  readonly drawnOperations: { name: OperationName; argument: number; sha256: string }[];
  readonly drawnCrops: { filter: Filter; crop: Crop; sha256: string }[];
  readonly magnitudes: { name: OperationName; magnitude: number; arguments: number[] }[];
  readonly normalised: string;
  readonly jpeg: { file: string; data: string };
  readonly cropMoments: Moments;
  readonly erasingMoments: Moments;
}

const fixture: Fixture = JSON.parse(
  await readFile(new URL("./fixtures/augmentation.json", import.meta.url), "utf8"),
) as Fixture;
const bytes = (text: string) => new Uint8Array(Buffer.from(text, "base64"));
const image = (name: string): RgbImage => {
  const { width, height, data } = fixture.images[name]!;
  return { width, height, data: bytes(data) };
};
const digest = ({ data }: RgbImage) => createHash("sha256").update(data).digest("hex");

/** The image that the fixture's script makes by the same formula. */
function formulaImage(width: number, height: number): RgbImage {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const x = Math.floor(i / 3) % width;
    const y = Math.floor(i / 3 / width);
    return ((x * x * 3 + y * y * 5 + x * y * 7 + (i % 3) * 1000) >> 6) & 255;
  });
  return { width, height, data };
}

/** Largest difference, in levels. */
function difference(actual: RgbImage, expected: string): number {
  const other = bytes(expected);
  expect(actual.data).toHaveLength(other.length);
  return actual.data.reduce((largest, level, i) => Math.max(largest, Math.abs(level - other[i]!)), 0);
}

describe("against Pillow, torchvision and timm, augmentation", () => {
  it.each(OPERATION_NAMES)("%s differs by no level", (name) => {
    const cases = fixture.operations.filter((each) => each.name === name);
    expect(cases.length).toBeGreaterThan(0);
    for (const { argument, image: key, data } of cases) {
      expect(difference(OPERATIONS[name].apply(image(key), argument), data), `${argument} on ${key}`).toBe(0);
    }
    for (const { argument, sha256 } of fixture.drawnOperations.filter((each) => each.name === name)) {
      expect(digest(OPERATIONS[name].apply(formulaImage(224, 224), argument)), `${argument} at 224`).toBe(sha256);
    }
  });

  it.each(["bilinear", "bicubic"] as const)("resizing (%s) differs by no level", (filter) => {
    for (const { width, height, data } of fixture.resizes.filter((each) => each.filter === filter)) {
      expect(difference(resample(image("textured"), { width, height, filter }), data), `${width}x${height}`).toBe(0);
    }
    for (const { crop, size, data } of fixture.crops.filter((each) => each.filter === filter)) {
      const cut = resample(image("textured"), { width: size, height: size, filter, crop });
      expect(difference(cut, data), JSON.stringify(crop)).toBe(0);
    }
    for (const { crop, sha256 } of fixture.drawnCrops.filter((each) => each.filter === filter)) {
      const cut = resample(formulaImage(300, 240), { width: 224, height: 224, filter, crop });
      expect(digest(cut), JSON.stringify(crop)).toBe(sha256);
    }
  });

  it.each(OPERATION_NAMES)("%s is given the same arguments", (name) => {
    for (const { magnitude, arguments: expected } of fixture.magnitudes.filter((each) => each.name === name)) {
      const drawn = Array.from({ length: 40 }, (_, seed) => OPERATIONS[name].argument(magnitude, createRandom([seed])));
      const distinct = [...new Set(drawn)].sort((p, q) => p - q);
      expect(distinct).toHaveLength(expected.length);
      for (const [i, value] of distinct.entries()) expect(value).toBeCloseTo(expected[i]!, 12);
    }
  });

  it("normalises to the same bits", () => {
    const levels = Uint8Array.from({ length: 768 }, (_, i) => Math.floor(i / 3));
    const expected = new Float32Array(bytes(fixture.normalised).buffer);
    expect(normaliseImage({ width: 256, height: 1, data: levels })).toEqual(expected);
  });

  it("decodes a JPEG to the same pixels", async () => {
    const { data, info } = await sharp(bytes(fixture.jpeg.file)).raw().toBuffer({ resolveWithObject: true });
    expect(difference({ width: info.width, height: info.height, data }, fixture.jpeg.data)).toBe(0);
  });

  it.each([
    ["crops", "cropMoments"],
    ["rectangles to erase", "erasingMoments"],
  ] as const)("draws %s of the same distribution", (_, key) => {
    const { crop, randomErasing } = AUGMENTATIONS.paper;
    if (crop.kind !== "random" || randomErasing === undefined) throw new Error("Expected the published pipeline");
    const random = createRandom([20240717, key]);
    const canvas = { width: 260, height: 200 };
    const rows = Array.from({ length: 20_000 }, () => {
      const box = key === "cropMoments" ? drawCrop(canvas, crop, random) : drawErasing(48, randomErasing, random)!;
      return [box.left, box.top, box.width, box.height, box.width * box.height];
    });
    const { mean, std, count } = fixture[key];
    for (const [i, expected] of mean.entries()) {
      const actual = rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length;
      const standardError = std[i]! * Math.sqrt(1 / rows.length + 1 / count);
      expect(Math.abs(actual - expected) / standardError, `value ${i}`).toBeLessThan(4);
    }
  });
});
