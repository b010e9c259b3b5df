import type { RgbImage } from "../image.ts";
import { mapLevels } from "./point-operations.ts";

// Pillow's ImageEnhance: blends the image with one that lacks the property, in single precision. Factor 1 changes
// nothing, 0 gives the image without the property, more than 1 exaggerates it.

/** Blends with black. */
export function brightness(image: RgbImage, factor: number): RgbImage {
  return blendWithLevel(image, 0, factor);
}

/** Blends with the mean grey level. */
export function contrast(image: RgbImage, factor: number): RgbImage {
  const { data } = image;
  const pixels = image.width * image.height;
  let sum = 0;
  for (let i = 0; i < pixels * 3; i += 3) sum += grey(data[i]!, data[i + 1]!, data[i + 2]!);
  return blendWithLevel(image, Math.floor(sum / pixels + 0.5), factor);
}

/** Blends with the grey image. */
export function color({ width, height, data }: RgbImage, factor: number): RgbImage {
  const out = new Uint8ClampedArray(width * height * 3);
  const share = scaledDifferences(factor);
  for (let i = 0; i < out.length; i += 3) {
    const base = grey(data[i]!, data[i + 1]!, data[i + 2]!);
    out[i] = Math.floor(Math.fround(base + share[255 + data[i]! - base]!));
    out[i + 1] = Math.floor(Math.fround(base + share[255 + data[i + 1]! - base]!));
    out[i + 2] = Math.floor(Math.fround(base + share[255 + data[i + 2]! - base]!));
  }
  return { width, height, data: new Uint8Array(out.buffer) };
}

/** Blends with a smoothed image: 3x3, the centre weighing 5 of 13. The outermost pixels stay as they are. */
export function sharpness(image: RgbImage, factor: number): RgbImage {
  const { width, height, data } = image;
  const out = new Uint8ClampedArray(data);
  const share = scaledDifferences(factor);
  const stride = width * 3;
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * stride + 3, end = (y + 1) * stride - 3; i < end; i++) {
      const above = i - stride;
      const below = i + stride;
      const sum =
        data[above - 3]! +
        data[above]! +
        data[above + 3]! +
        data[i - 3]! +
        5 * data[i]! +
        data[i + 3]! +
        data[below - 3]! +
        data[below]! +
        data[below + 3]!;
      // Pillow rounds in single precision; no sum comes nearer to a half than 1/26, so whole numbers agree.
      const base = Math.floor((2 * sum + 13) / 26);
      out[i] = Math.floor(Math.fround(base + share[255 + data[i]! - base]!));
    }
  }
  return { width, height, data: new Uint8Array(out.buffer) };
}

/** ITU-R 601 luma in 16-bit fixed point. */
function grey(red: number, green: number, blue: number): number {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}

function blendWithLevel(image: RgbImage, base: number, factor: number): RgbImage {
  const share = scaledDifferences(factor);
  return mapLevels(image, (level) => Math.floor(Math.fround(base + share[255 + level - base]!)));
}

/** `factor` times -255..255, in single precision. */
function scaledDifferences(factor: number): Float32Array {
  const single = Math.fround(factor);
  return Float32Array.from({ length: 511 }, (_, i) => single * (i - 255));
}
