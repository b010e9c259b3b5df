import { resample } from "./augment/resample.ts";

/** An 8-bit RGB image: interleaved channels, rows from the top, `width * height * 3` bytes. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** A rectangle in pixels of its image, origin at the top left. It may reach past the image's edge. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Mean of each channel over ImageNet, in 0..1 (torchvision). */
export const IMAGENET_MEAN = [0.485, 0.456, 0.406] as const;
/** Standard deviation of each channel over ImageNet, in 0..1 (torchvision). */
export const IMAGENET_STD = [0.229, 0.224, 0.225] as const;

/**
 * Resizes an image to exactly `width` x `height`, bilinear with antialiasing, as Pillow and therefore torchvision do;
 * the aspect is not kept.
 */
export function resizeImage(image: RgbImage, width: number, height: number): RgbImage {
  return resample(image, { width, height, filter: "bilinear" });
}

/**
 * Cuts a face as the models see it: the box grown by `margin` of its width and height on each side, resized to
 * `size` x `size` without keeping the aspect and without alignment (the crop of FMAE-IAT). What lies outside of the
 * image is black.
 *
 * @throws {RangeError} when the box is empty or does not meet the image
 */
export function cropFace(
  image: RgbImage,
  box: Box,
  { size, margin = 0.05 }: { readonly size: number; readonly margin?: number },
): RgbImage {
  const left = Math.round(box.left - margin * box.width);
  const top = Math.round(box.top - margin * box.height);
  const right = Math.round(box.left + (1 + margin) * box.width);
  const bottom = Math.round(box.top + (1 + margin) * box.height);
  const fromX = Math.max(left, 0);
  const fromY = Math.max(top, 0);
  const toX = Math.min(right, image.width);
  const toY = Math.min(bottom, image.height);
  if (!(toX > fromX && toY > fromY)) {
    throw new RangeError(
      `Expected a box that meets the ${image.width}x${image.height} image, got ${box.width}x${box.height} at ${box.left},${box.top}`,
    );
  }
  const width = right - left;
  const height = bottom - top;
  const data = new Uint8Array(width * height * 3);
  for (let y = fromY; y < toY; y++) {
    const row = (y * image.width + fromX) * 3;
    data.set(image.data.subarray(row, row + (toX - fromX) * 3), ((y - top) * width + fromX - left) * 3);
  }
  return resizeImage({ width, height, data }, size, size);
}

/** The normalised value of each level, 256 per channel, in the single precision arithmetic of torchvision. */
const NORMALISED = IMAGENET_MEAN.map((mean, channel) =>
  Float32Array.from({ length: 256 }, (_, level) => {
    const centred = Math.fround(Math.fround(level / 255) - Math.fround(mean));
    return centred / Math.fround(IMAGENET_STD[channel]!);
  }),
);

/**
 * Writes an image as the models' input, channels first: `(value / 255 - mean) / std` per channel, [3, H, W].
 * Training, evaluation and serving all use this function.
 *
 * @param out where to write; made when left out
 * @param offset first element to write
 */
export function normaliseImage(
  image: RgbImage,
  out: Float32Array = new Float32Array(image.width * image.height * 3),
  offset = 0,
): Float32Array {
  const plane = image.width * image.height;
  const { data } = image;
  for (let channel = 0; channel < 3; channel++) {
    const table = NORMALISED[channel]!;
    const base = offset + channel * plane;
    for (let i = 0, j = channel; i < plane; i++, j += 3) out[base + i] = table[data[j]!]!;
  }
  return out;
}
