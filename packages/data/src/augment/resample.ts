import type { Box, RgbImage } from "../image.ts";

/** An interpolation kernel of `resample`. */
export type ResampleFilter = "bilinear" | "bicubic";

/** Where from, and to which size, to resample. */
export interface ResampleOptions {
  readonly width: number;
  readonly height: number;
  readonly filter: ResampleFilter;
  /** The part of the image to use, in whole pixels inside of it; nothing outside of it has an influence. Default: all. */
  readonly crop?: Box;
}

/** Bits behind the binary point: 8 bits of result and 2 of head-room remain in 32. */
const PRECISION = 22;

const KERNELS: Record<ResampleFilter, { readonly support: number; readonly at: (distance: number) => number }> = {
  bilinear: { support: 1, at: (x) => (x < 1 ? 1 - x : 0) },
  // Catmull-Rom: a = -0.5.
  bicubic: {
    support: 2,
    at: (x) => (x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0),
  },
};

/**
 * Resizes (a part of) an image with antialiasing: the kernel is stretched by the reduction. Horizontally, then
 * vertically, in fixed point with the rounding of Pillow's `Image.resize`, to whose pixels it is equal.
 */
export function resample(image: RgbImage, { width, height, filter, crop }: ResampleOptions): RgbImage {
  const from = crop ?? { left: 0, top: 0, width: image.width, height: image.height };
  const whole = from.width === image.width && from.height === image.height;
  if (whole && width === image.width && height === image.height) return image;
  let { data } = image;
  let stride = image.width * 3;
  let start = from.top * stride + from.left * 3;
  if (from.width !== width) {
    data = resampleRows(data, start, stride, from.height, width, taps(from.width, width, filter));
    stride = width * 3;
    start = 0;
  }
  if (from.height !== height) {
    return {
      width,
      height,
      data: resampleColumns(data, start, stride, width * 3, height, taps(from.height, height, filter)),
    };
  }
  if (start !== 0 || stride !== width * 3) data = copyRows(data, start, stride, width * 3, height);
  return { width, height, data };
}

/** For each pixel of a row of the result: the first pixel that it is made of, how many, and their weights. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `reach` weights for each pixel, fixed point. */
  readonly weights: Int32Array;
  readonly reach: number;
}

function taps(from: number, to: number, filter: ResampleFilter): Taps {
  const kernel = KERNELS[filter];
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const support = kernel.support * stretch;
  const reach = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(to);
  const count = new Int32Array(to);
  const weights = new Int32Array(to * reach);
  const exact = new Float64Array(reach);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    const begin = Math.max(Math.trunc(centre - support + 0.5), 0);
    const taken = Math.min(Math.trunc(centre + support + 0.5), from) - begin;
    let sum = 0;
    for (let k = 0; k < taken; k++) {
      exact[k] = kernel.at(Math.abs((k + begin - centre + 0.5) * (1 / stretch)));
      sum += exact[k]!;
    }
    for (let k = 0; k < taken; k++) {
      const weight = (exact[k]! / sum) * (1 << PRECISION);
      weights[i * reach + k] = Math.trunc(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    first[i] = begin;
    count[i] = taken;
  }
  return { first, count, weights, reach };
}

function resampleRows(
  data: Uint8Array,
  start: number,
  stride: number,
  rows: number,
  width: number,
  { first, count, weights, reach }: Taps,
): Uint8Array {
  const out = new Uint8ClampedArray(rows * width * 3);
  let o = 0;
  for (let y = 0; y < rows; y++) {
    const row = start + y * stride;
    for (let x = 0; x < width; x++) {
      let red = 1 << (PRECISION - 1);
      let green = red;
      let blue = red;
      let i = row + first[x]! * 3;
      const end = x * reach + count[x]!;
      for (let k = x * reach; k < end; k++, i += 3) {
        const weight = weights[k]!;
        red = (red + Math.imul(data[i]!, weight)) | 0;
        green = (green + Math.imul(data[i + 1]!, weight)) | 0;
        blue = (blue + Math.imul(data[i + 2]!, weight)) | 0;
      }
      out[o] = red >> PRECISION;
      out[o + 1] = green >> PRECISION;
      out[o + 2] = blue >> PRECISION;
      o += 3;
    }
  }
  return new Uint8Array(out.buffer);
}

function resampleColumns(
  data: Uint8Array,
  start: number,
  stride: number,
  rowBytes: number,
  height: number,
  { first, count, weights, reach }: Taps,
): Uint8Array {
  const out = new Uint8ClampedArray(height * rowBytes);
  const sums = new Int32Array(rowBytes);
  for (let y = 0; y < height; y++) {
    sums.fill(1 << (PRECISION - 1));
    const begin = y * reach;
    const last = count[y]! - 1;
    // Four rows at once: in half the time of one after the other. Past the last one they repeat it with no weight.
    for (let k = 0; k <= last; k += 4) {
      const row0 = start + (first[y]! + k) * stride;
      const row1 = start + (first[y]! + Math.min(k + 1, last)) * stride;
      const row2 = start + (first[y]! + Math.min(k + 2, last)) * stride;
      const row3 = start + (first[y]! + Math.min(k + 3, last)) * stride;
      const weight0 = weights[begin + k]!;
      const weight1 = k + 1 > last ? 0 : weights[begin + k + 1]!;
      const weight2 = k + 2 > last ? 0 : weights[begin + k + 2]!;
      const weight3 = k + 3 > last ? 0 : weights[begin + k + 3]!;
      for (let x = 0; x < rowBytes; x++) {
        sums[x]! +=
          Math.imul(data[row0 + x]!, weight0) +
          Math.imul(data[row1 + x]!, weight1) +
          Math.imul(data[row2 + x]!, weight2) +
          Math.imul(data[row3 + x]!, weight3);
      }
    }
    for (let x = 0, o = y * rowBytes; x < rowBytes; x++, o++) out[o] = sums[x]! >> PRECISION;
  }
  return new Uint8Array(out.buffer);
}

function copyRows(data: Uint8Array, start: number, stride: number, rowBytes: number, rows: number): Uint8Array {
  const out = new Uint8Array(rows * rowBytes);
  for (let y = 0; y < rows; y++) {
    out.set(data.subarray(start + y * stride, start + y * stride + rowBytes), y * rowBytes);
  }
  return out;
}
