import type { RgbImage } from "@duchenne/data";
import { type ImageLimits, ImageTooLargeError, InvalidImageError } from "./decode.ts";

/** How the pixels of a raw image lie. NV12: a plane of luma, then one of interleaved blue and red differences at half size. */
export type PixelFormat = "rgb" | "rgba" | "gray8" | "nv12";

/** Which colours NV12 stands for: the matrix (BT.601 or BT.709), and whether luma takes 16..235 or 0..255. */
export type YuvColors = "bt601-limited" | "bt601-full" | "bt709-limited" | "bt709-full";

/** Pixels as a camera or a canvas gives them. */
export interface RawImage {
  readonly format: PixelFormat;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  /** Bytes from one row to the next, of both planes of NV12; 0: rows lie without gaps. */
  readonly stride: number;
  readonly data: Uint8Array;
  /** Of NV12 alone. */
  readonly colors: YuvColors;
}

const BYTES_PER_PIXEL = { rgb: 3, rgba: 4, gray8: 1, nv12: 1 } as const;

interface Layout {
  readonly stride: number;
  /** Bytes of a row. */
  readonly rowBytes: number;
  /** Rows of all planes. */
  readonly rows: number;
}

/**
 * Checks that the bytes are as many as format, size and stride ask for; the gap after the last row may be left out.
 *
 * @throws {InvalidImageError} naming the field
 * @throws {ImageTooLargeError}
 */
export function checkRawImage(image: RawImage, limits: ImageLimits): void {
  const { width, height, format, data } = image;
  if (width < 1 || height < 1) {
    throw new InvalidImageError(`Expected at least 1x1 pixels, got ${width}x${height}`, { field: "raw.width" });
  }
  if (Math.max(width, height) > limits.maxSide) {
    throw new ImageTooLargeError(`Expected an image of 1..${limits.maxSide} pixels a side, got ${width}x${height}`);
  }
  const { stride, rowBytes, rows } = layoutOf(image);
  if (stride < rowBytes) {
    const expected = `Expected a stride of at least ${rowBytes} bytes for ${width} pixels of ${format}`;
    throw new InvalidImageError(`${expected}, got ${stride}`, { field: "raw.stride" });
  }
  const fewest = stride * (rows - 1) + rowBytes;
  if (data.length >= fewest && data.length <= stride * rows) return;
  const expected = fewest === stride * rows ? `${fewest}` : `${fewest}..${stride * rows}`;
  throw new InvalidImageError(
    `Expected ${expected} bytes for ${width}x${height} pixels of ${format} with a stride of ${stride}, got ${data.length}`,
    { field: "raw.data" },
  );
}

function layoutOf({ format, width, height, stride }: RawImage): Layout {
  // The second plane of NV12 has a pair for every two pixels, and half as many rows.
  const rowBytes = format === "nv12" ? width + (width % 2) : width * BYTES_PER_PIXEL[format];
  const rows = format === "nv12" ? height + Math.ceil(height / 2) : height;
  return { stride: stride || rowBytes, rowBytes, rows };
}

/** Turns a checked raw image to RGB; transparency becomes black, as it does in encoded images. */
export function rgbFromRaw(image: RawImage): RgbImage {
  const { width, height, data } = image;
  const { stride } = layoutOf(image);
  const out = new Uint8Array(3 * width * height);
  const fill = fillerOf(image);
  for (let y = 0; y < height; y++) fill(out, 3 * width * y, data, stride * y, width, y);
  return { width, height, data: out };
}

function fillerOf(image: RawImage): FillRow {
  switch (image.format) {
    case "rgb":
      return fillFromRgb;
    case "rgba":
      return fillFromRgba;
    case "gray8":
      return fillFromGray;
    case "nv12":
      return fillFromNv12(image);
  }
}

type FillRow = (out: Uint8Array, at: number, data: Uint8Array, from: number, width: number, y: number) => void;

const fillFromRgb: FillRow = (out, at, data, from, width) => out.set(data.subarray(from, from + 3 * width), at);

const fillFromRgba: FillRow = (out, at, data, from, width) => {
  for (let x = 0; x < width; x++) {
    const alpha = data[from + 4 * x + 3]! / 255;
    for (let c = 0; c < 3; c++) out[at + 3 * x + c] = Math.round(data[from + 4 * x + c]! * alpha);
  }
};

const fillFromGray: FillRow = (out, at, data, from, width) => {
  for (let x = 0; x < width; x++) out.fill(data[from + x]!, at + 3 * x, at + 3 * x + 3);
};

/** Shares of red and blue in luma (ITU-R BT.601-7, BT.709-6). */
const LUMA_SHARES = { bt601: { red: 0.299, blue: 0.114 }, bt709: { red: 0.2126, blue: 0.0722 } };

function fillFromNv12(image: RawImage): FillRow {
  const [matrix, range] = image.colors.split("-") as ["bt601" | "bt709", "limited" | "full"];
  const { red, blue } = LUMA_SHARES[matrix];
  const green = 1 - red - blue;
  const lumaOffset = range === "limited" ? 16 : 0;
  const lumaScale = range === "limited" ? 255 / 219 : 1;
  const chromaScale = range === "limited" ? 255 / 224 : 1;
  const { stride } = layoutOf(image);
  const chroma = stride * image.height;
  return (out, at, data, from, width, y) => {
    const pairs = chroma + stride * (y >> 1);
    for (let x = 0; x < width; x++) {
      const luma = (data[from + x]! - lumaOffset) * lumaScale;
      const u = (data[pairs + (x & ~1)]! - 128) * chromaScale;
      const v = (data[pairs + (x | 1)]! - 128) * chromaScale;
      const r = luma + 2 * (1 - red) * v;
      const b = luma + 2 * (1 - blue) * u;
      out[at + 3 * x] = level(r);
      out[at + 3 * x + 1] = level((luma - red * r - blue * b) / green);
      out[at + 3 * x + 2] = level(b);
    }
  };
}

function level(value: number): number {
  return Math.min(Math.max(Math.round(value), 0), 255);
}
