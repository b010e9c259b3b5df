import { type Box, type RgbImage, resizeImage } from "@duchenne/data";

/** How well a face can be seen: what a caller may discard by. */
export interface FaceQuality {
  /** The shorter side of its box, in pixels of the image. */
  readonly sizePx: number;
  /** The share of its box that lies inside of the image, 0..1. */
  readonly inside: number;
  /** Variance of the luma's Laplacian on the face at 96x96 pixels; blurred faces have little, some 100 and less. */
  readonly sharpness: number;
  /** Mean luma of the face, 0..255. */
  readonly brightness: number;
}

/** The side at which faces are compared, in pixels: sharpness must not depend on how large a face is. */
const SIDE = 96;

/**
 * Measures a face in its image.
 *
 * @param box of the face; it must meet the image
 */
export function faceQuality(image: RgbImage, box: Box): FaceQuality {
  const left = Math.max(Math.floor(box.left), 0);
  const top = Math.max(Math.floor(box.top), 0);
  const width = Math.max(Math.min(Math.ceil(box.left + box.width), image.width) - left, 1);
  const height = Math.max(Math.min(Math.ceil(box.top + box.height), image.height) - top, 1);
  const luma = lumaOf(resizeImage(cut(image, left, top, width, height), SIDE, SIDE));
  const seenX = Math.min(box.left + box.width, image.width) - Math.max(box.left, 0);
  const seenY = Math.min(box.top + box.height, image.height) - Math.max(box.top, 0);
  return {
    sizePx: Math.min(box.width, box.height),
    inside: Math.min(Math.max((seenX * seenY) / (box.width * box.height), 0), 1),
    sharpness: laplacianVariance(luma),
    brightness: luma.reduce((sum, value) => sum + value, 0) / luma.length,
  };
}

function cut(image: RgbImage, left: number, top: number, width: number, height: number): RgbImage {
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    const from = 3 * ((top + y) * image.width + left);
    data.set(image.data.subarray(from, from + 3 * width), 3 * y * width);
  }
  return { width, height, data };
}

/** ITU-R BT.601. */
function lumaOf({ data }: RgbImage): Float32Array {
  const luma = new Float32Array(data.length / 3);
  for (let i = 0; i < luma.length; i++) {
    luma[i] = 0.299 * data[3 * i]! + 0.587 * data[3 * i + 1]! + 0.114 * data[3 * i + 2]!;
  }
  return luma;
}

function laplacianVariance(luma: Float32Array): number {
  let sum = 0;
  let squares = 0;
  for (let y = 1; y < SIDE - 1; y++) {
    for (let x = 1; x < SIDE - 1; x++) {
      const i = y * SIDE + x;
      const value = luma[i - SIDE]! + luma[i + SIDE]! + luma[i - 1]! + luma[i + 1]! - 4 * luma[i]!;
      sum += value;
      squares += value * value;
    }
  }
  const count = (SIDE - 2) ** 2;
  return squares / count - (sum / count) ** 2;
}
