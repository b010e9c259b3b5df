import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { readSample } from "../input/sample-source.ts";
import { curateFrame, curateImage, sizeExclusion } from "./curate-image.ts";
import { curationOptionsSchema } from "./curation-options.ts";

const options = curationOptionsSchema.parse({});
const RED = { r: 220, g: 30, b: 40 };

const plain = (width: number, height: number, background = RED) =>
  sharp({ create: { width, height, channels: 3, background } });
/** An image whose left half is red and whose right half is blue. */
const halves = (width: number, height: number) =>
  plain(width, height).composite([
    { input: { create: { width: width / 2, height, channels: 3, background: "#1428c8" } }, left: width / 2, top: 0 },
  ]);

async function kept(bytes: Uint8Array) {
  const curated = await curateImage(bytes, options);
  expect(curated.exclusion).toBeUndefined();
  const image = sharp(curated.bytes!);
  const { format, width, height, space, hasAlpha } = await image.metadata();
  expect({ format, width, height, space, hasAlpha }).toEqual({
    format: "jpeg",
    width: 224,
    height: 224,
    space: "srgb",
    hasAlpha: false,
  });
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  expect(info.channels).toBe(3);
  const at = (x: number, y: number) => [...data.subarray(3 * (y * 224 + x), 3 * (y * 224 + x) + 3)];
  return { ...curated, at };
}
const reasonOf = async (bytes: Uint8Array) => (await curateImage(bytes, options)).exclusion?.reason;
function expectNear(actual: readonly number[], expected: readonly number[], tolerance: number) {
  for (const [i, value] of expected.entries()) {
    expect(Math.abs(actual[i]! - value), `${actual} is not ${expected}`).toBeLessThanOrEqual(tolerance);
  }
}

describe("the size of an image", () => {
  it.each([
    [224, 224, undefined],
    [223, 224, "too_small"],
    [224, 223, "too_small"],
    [336, 224, undefined],
    [224, 336, undefined],
    [337, 224, "too_elongated"],
    [224, 337, "too_elongated"],
    [10_000, 10_000, undefined],
    [10_001, 10_000, "too_large"],
  ])("%ix%i: %s", (width, height, reason) => {
    expect(sizeExclusion({ width, height }, options)?.reason).toBe(reason);
  });

  it("may have exactly the ratio that is asked for, also one that no number is", () => {
    const rules = { ...options, minSide: 1, maxAspectRatio: 1.15 };
    expect(sizeExclusion({ width: 115, height: 100 }, rules)).toBeUndefined();
    expect(sizeExclusion({ width: 1151, height: 1000 }, rules)).toMatchObject({
      reason: "too_elongated",
      detail: "Expected sides in a ratio of at most 1.15, got 1151x1000",
    });
  });

  it("is judged by the header: one that claims a gigapixel costs nothing", async () => {
    const png = await plain(300, 300).png().toBuffer();
    for (const place of [16, 20]) png.writeUInt32BE(40_000, place);
    png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
    expect(await curateImage(png, options)).toMatchObject({ width: 40_000, exclusion: { reason: "too_large" } });
  });
});

describe("an image that is kept", () => {
  it("is resized without keeping its aspect", async () => {
    const { width, height, isAsItWas, at } = await kept(await halves(320, 240).png().toBuffer());
    expect({ width, height, isAsItWas }).toEqual({ width: 320, height: 240, isAsItWas: undefined });
    expectNear(at(20, 112), [220, 30, 40], 3);
    expectNear(at(204, 112), [20, 40, 200], 3);
  });

  it("keeps its bytes when it is a JPEG of that size, gray ones too, which trainings read in three channels", async () => {
    const gray = await plain(224, 224, { r: 90, g: 90, b: 90 }).toColourspace("b-w").jpeg().toBuffer();
    for (const bytes of [await halves(224, 224).jpeg({ quality: 60 }).toBuffer(), gray]) {
      const curated = await curateImage(bytes, options);
      expect(curated).toMatchObject({ isAsItWas: true, width: 224, height: 224 });
      expect(Buffer.compare(curated.bytes!, bytes)).toBe(0);
    }
    const folder = await mkdtemp(join(tmpdir(), "duchenne-curation-"));
    try {
      const imagePath = join(folder, "gray.jpg");
      await writeFile(imagePath, gray);
      const { data } = await readSample({ imagePath }, 224);
      expect(data.length).toBe(3 * 224 * 224);
      expectNear([...data.subarray(0, 3)], [90, 90, 90], 2);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("is encoded anew when it is of that size, but no JPEG", async () => {
    const { isAsItWas, at } = await kept(await halves(224, 224).webp({ lossless: true }).toBuffer());
    expect(isAsItWas).toBeUndefined();
    expectNear(at(20, 112), [220, 30, 40], 3);
  });

  it("is encoded anew when trainings would not read its bytes", async () => {
    const jpeg = await halves(224, 224).jpeg().toBuffer();
    const second = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
    const flawed = Buffer.concat([jpeg.subarray(0, second), Buffer.from("junk"), jpeg.subarray(second)]);
    await expect(sharp(flawed).raw().toBuffer()).rejects.toThrow();
    const { isAsItWas, bytes, at } = await kept(flawed);
    expect(isAsItWas).toBeUndefined();
    await sharp(bytes).raw().toBuffer();
    expectNear(at(20, 112), [220, 30, 40], 6);
  });

  it("is upright when EXIF says that it is turned", async () => {
    // Turned clockwise for showing: what is on the left goes to the top.
    const turned = await halves(320, 240).withMetadata({ orientation: 6 }).jpeg({ quality: 95 }).toBuffer();
    const { width, height, at } = await kept(turned);
    expect({ width, height }).toEqual({ width: 240, height: 320 });
    expectNear(at(112, 20), [220, 30, 40], 4);
    expectNear(at(112, 204), [20, 40, 200], 4);
  });

  it("is in colour when it was gray, of 16 bits or in CMYK", async () => {
    const gray = await plain(300, 300, { r: 90, g: 90, b: 90 }).toColourspace("b-w").jpeg().toBuffer();
    expectNear((await kept(gray)).at(112, 112), [90, 90, 90], 2);
    const deep = await plain(300, 300).toColourspace("rgb16").png().toBuffer();
    expect((await sharp(deep).metadata()).depth).toBe("ushort");
    expectNear((await kept(deep)).at(112, 112), [220, 30, 40], 3);
    const cmyk = await plain(300, 300).toColourspace("cmyk").jpeg({ quality: 95 }).toBuffer();
    expect((await sharp(cmyk).metadata()).space).toBe("cmyk");
    // Inks do not have every colour; what they have of it is told by the decoder alone.
    const { data } = await sharp(cmyk).toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
    expectNear((await kept(cmyk)).at(112, 112), [...data.subarray(0, 3)], 3);
  });

  it("has the colours that transparency hid, as trainings on the picture itself would see them", async () => {
    const background = { ...RED, alpha: 0 };
    const clear = await sharp({ create: { width: 300, height: 260, channels: 4, background } })
      .png()
      .toBuffer();
    expectNear((await kept(clear)).at(112, 112), [220, 30, 40], 3);
  });
});

describe("what cannot be kept", () => {
  it("is undecodable when it was cut off, of whatever size", async () => {
    for (const side of [224, 500]) {
      const noise = { type: "gaussian", mean: 128, sigma: 40 } as const;
      const image = sharp({ create: { width: side, height: side, channels: 3, noise, background: RED } });
      for (const bytes of [
        await image.jpeg().toBuffer(),
        await image.png().toBuffer(),
        await image.webp().toBuffer(),
      ]) {
        expect(await reasonOf(bytes.subarray(0, Math.floor(bytes.length / 2)))).toBe("undecodable");
        expect(await reasonOf(bytes.subarray(0, 20))).toBe("undecodable");
      }
    }
  });

  it("is no image when it is empty, a text or of another format, whatever it is called", async () => {
    const gif = await plain(300, 300).gif().toBuffer();
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="300" height="300"/>');
    for (const bytes of [Buffer.alloc(0), Buffer.from("a text\n"), gif, svg]) {
      const { exclusion } = await curateImage(bytes, options);
      expect(exclusion).toEqual({
        reason: "not_an_image",
        detail: `Expected a JPEG, PNG or WebP image, got ${bytes.length} bytes of another kind`,
      });
    }
  });
});

it("a frame of a video is judged and resized as an image is", async () => {
  const frame = async (width: number, height: number) => ({
    width,
    height,
    data: await halves(width, height).removeAlpha().raw().toBuffer(),
  });
  expect((await curateFrame(await frame(320, 200), options)).exclusion?.reason).toBe("too_small");
  const { bytes } = await curateFrame(await frame(320, 240), options);
  const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
  expect(info).toMatchObject({ width: 224, height: 224, channels: 3 });
  expectNear([...data.subarray(60, 63)], [220, 30, 40], 3);
});
