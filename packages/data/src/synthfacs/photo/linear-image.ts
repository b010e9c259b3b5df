import type { RgbImage } from "../../image.ts";
import { linearFromSrgb } from "../colour.ts";

/** An image in linear light. */
export interface LinearImage {
  readonly width: number;
  readonly height: number;
  /** [height * width * 3] */
  readonly data: Float32Array;
}

const LINEAR = Float32Array.from({ length: 256 }, (_, level) => linearFromSrgb(level / 255));

/** An image in linear light. */
export function linearImage({ width, height, data }: RgbImage): LinearImage {
  return { width, height, data: Float32Array.from(data, (level) => LINEAR[level]!) };
}

/** An image and its halvings, for pictures that show it smaller. */
export type Pyramid = readonly LinearImage[];

/** Halves an image until a side is below 32 pixels; odd sides lose their last row or column to no pixel but their last. */
export function pyramidOf(image: LinearImage): Pyramid {
  const levels = [image];
  for (let last = image; Math.min(last.width, last.height) >= 64; ) {
    last = halved(last);
    levels.push(last);
  }
  return levels;
}

function halved({ width, height, data }: LinearImage): LinearImage {
  const half = { width: Math.ceil(width / 2), height: Math.ceil(height / 2) };
  const to = new Float32Array(half.width * half.height * 3);
  for (let y = 0; y < half.height; y++) {
    const rows = [2 * y, Math.min(2 * y + 1, height - 1)];
    for (let x = 0; x < half.width; x++) {
      const columns = [2 * x, Math.min(2 * x + 1, width - 1)];
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (const row of rows) for (const column of columns) sum += data[3 * (row * width + column) + c]!;
        to[3 * (y * half.width + x) + c] = sum / 4;
      }
    }
  }
  return { ...half, data: to };
}

/**
 * Reads a place between pixels, bicubic (Catmull-Rom); beyond the edge is the edge.
 *
 * @param x from the left edge, in pixels: pixel 0 has its centre at 0.5
 */
export function sampleImage({ width, height, data }: LinearImage, x: number, y: number, out: Float32Array): void {
  const left = Math.floor(x - 0.5);
  const top = Math.floor(y - 0.5);
  const fx = x - 0.5 - left;
  const fy = y - 0.5 - top;
  out[0] = 0;
  out[1] = 0;
  out[2] = 0;
  for (let j = -1; j <= 2; j++) {
    const weightY = catmullRom(j - fy);
    const row = Math.min(Math.max(top + j, 0), height - 1) * width;
    for (let i = -1; i <= 2; i++) {
      const weight = weightY * catmullRom(i - fx);
      const at = 3 * (row + Math.min(Math.max(left + i, 0), width - 1));
      out[0] = out[0]! + weight * data[at]!;
      out[1] = out[1]! + weight * data[at + 1]!;
      out[2] = out[2]! + weight * data[at + 2]!;
    }
  }
  for (let c = 0; c < 3; c++) if (out[c]! < 0) out[c] = 0;
}

function catmullRom(distance: number): number {
  const t = Math.abs(distance);
  if (t < 1) return 1 + t * t * (1.5 * t - 2.5);
  return t < 2 ? 2 - t * (4 - t * (2.5 - 0.5 * t)) : 0;
}
