import { createRandom } from "@duchenne/data";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { DEFAULT_IMAGE_LIMITS, decodeImage } from "./decode.ts";
import { checkRawImage, type PixelFormat, type RawImage, rgbFromRaw } from "./raw-image.ts";

const width = 7;
const height = 5;
const random = createRandom([1, "raw image"]);
const pixels = Uint8Array.from({ length: width * height * 4 }, () => random.integer(256));

/** Rows with `gap` bytes of rubbish after each. */
function withGaps(data: Uint8Array, rowBytes: number, gap: number): Uint8Array {
  const rows = data.length / rowBytes;
  const out = new Uint8Array(rows * (rowBytes + gap)).fill(99);
  for (let y = 0; y < rows; y++) out.set(data.subarray(y * rowBytes, (y + 1) * rowBytes), y * (rowBytes + gap));
  return out;
}
const raw = (format: PixelFormat, data: Uint8Array, more: Partial<RawImage> = {}): RawImage => ({
  format,
  width,
  height,
  stride: 0,
  data,
  colors: "bt601-limited",
  ...more,
});
const bytesOf = (format: PixelFormat) => ({ rgb: 105, rgba: 140, gray8: 35, nv12: 8 * 8 })[format];

describe.each(["rgb", "rgba", "gray8"] as const)("%s", (format) => {
  const data = pixels.subarray(0, bytesOf(format));
  const rowBytes = data.length / height;

  it("equals the same pixels in a PNG", async () => {
    const channels = ({ rgb: 3, rgba: 4, gray8: 1 } as const)[format];
    const png = await sharp(data, { raw: { width, height, channels } }).png().toBuffer();
    const expected = await decodeImage(png);
    const actual = rgbFromRaw(raw(format, data));
    for (const [i, value] of actual.data.entries()) expect(Math.abs(value - expected.data[i]!)).toBeLessThanOrEqual(1);
  });

  it("is the same with gaps between its rows", () => {
    const spread = raw(format, withGaps(data, rowBytes, 5), { stride: rowBytes + 5 });
    checkRawImage(spread, DEFAULT_IMAGE_LIMITS);
    const tail = { ...spread, data: spread.data.subarray(0, spread.data.length - 5) };
    checkRawImage(tail, DEFAULT_IMAGE_LIMITS);
    expect(rgbFromRaw(tail)).toEqual(rgbFromRaw(raw(format, data)));
  });
});

describe("NV12", () => {
  /** A picture of one colour. */
  const solid = (y: number, u: number, v: number) => {
    const data = new Uint8Array(8 * 8).fill(y, 0, 40);
    for (let i = 40; i < data.length; i += 2) data.set([u, v], i);
    return data;
  };
  it.each([
    ["bt601-limited", [81, 90, 240], [255, 0, 0]],
    ["bt601-full", [76, 85, 255], [254, 0, 0]],
    ["bt709-limited", [63, 102, 240], [255, 0, 0]],
    ["bt709-full", [54, 99, 255], [254, 0, 0]],
    ["bt601-limited", [235, 128, 128], [255, 255, 255]],
    ["bt709-full", [255, 128, 128], [255, 255, 255]],
    ["bt601-limited", [41, 240, 110], [0, 0, 255]],
  ] as const)("of %s %j is %j", (colors, [y, u, v], expected) => {
    const { data } = rgbFromRaw(raw("nv12", solid(y, u, v), { colors }));
    for (let c = 0; c < 3; c++) expect(Math.abs(data[3 * 17 + c]! - expected[c]!)).toBeLessThanOrEqual(2);
  });

  it("is the same with gaps between its rows, of both planes", () => {
    const data = pixels.subarray(0, 64);
    const spread = raw("nv12", withGaps(data, 8, 24), { stride: 32 });
    checkRawImage(spread, DEFAULT_IMAGE_LIMITS);
    expect(rgbFromRaw(spread)).toEqual(rgbFromRaw(raw("nv12", data, { stride: 8 })));
  });
});

describe("a raw image is refused", () => {
  const limits = { ...DEFAULT_IMAGE_LIMITS, maxSide: 100 };
  const refusal = (image: RawImage) => {
    try {
      checkRawImage(image, limits);
    } catch (error) {
      return error as Error & { readonly violations: { field: string }[]; readonly reason: string };
    }
    throw new Error("It was taken");
  };
  it("with a stride shorter than a row", () => {
    const { message, violations } = refusal(raw("rgb", pixels.subarray(0, 105), { stride: 20 }));
    expect(message).toBe("Expected a stride of at least 21 bytes for 7 pixels of rgb, got 20");
    expect(violations[0]!.field).toBe("raw.stride");
  });
  it("with too few or too many bytes", () => {
    expect(refusal(raw("rgb", pixels.subarray(0, 104))).message).toContain("Expected 105 bytes for 7x5 pixels of rgb");
    expect(refusal(raw("rgb", pixels.subarray(0, 106))).violations[0]!.field).toBe("raw.data");
    expect(refusal(raw("nv12", pixels.subarray(0, 52))).message).toContain("Expected 64 bytes");
    expect(refusal(raw("gray8", pixels.subarray(0, 81), { stride: 16 })).message).toContain("Expected 71..80 bytes");
  });
  it("without pixels, or with too many a side", () => {
    expect(refusal(raw("rgb", new Uint8Array(), { width: 0 })).message).toContain("got 0x5");
    expect(refusal(raw("rgb", new Uint8Array(), { width: 101 })).reason).toBe("IMAGE_TOO_LARGE");
  });
});
