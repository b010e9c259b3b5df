import { normaliseImage, type RgbImage } from "../image.ts";
import { OPERATIONS } from "./operation.ts";
import type { AugmentationPlan } from "./plan-augmentation.ts";
import { erase } from "./random-erasing.ts";
import { resample } from "./resample.ts";

/**
 * Carries out a plan: crop and resize, flip, RandAugment, normalise, erase. Writes [3, S, S] into `out` from `offset` on;
 * the image is left as it is.
 */
export function applyAugmentation(
  image: RgbImage,
  plan: AugmentationPlan,
  imageSize: number,
  out: Float32Array,
  offset = 0,
): void {
  normaliseImage(augmentPixels(image, plan, imageSize), out, offset);
  if (plan.erasing !== undefined) erase(out, offset, imageSize, plan.erasing);
}

/** The part of a plan that works on 8-bit pixels. */
export function augmentPixels(image: RgbImage, plan: AugmentationPlan, imageSize: number): RgbImage {
  const { crop, filter, flip, operations } = plan;
  const size = { width: imageSize, height: imageSize };
  const resized = resample(image, { ...size, filter, ...(crop === undefined ? {} : { crop }) });
  return operations.reduce(
    (pixels, { name, argument }) => OPERATIONS[name].apply(pixels, argument),
    flip ? mirrorImage(resized) : resized,
  );
}

/** Mirrors an image left to right. */
export function mirrorImage({ width, height, data }: RgbImage): RgbImage {
  const out = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0, o = y * width * 3, i = o + (width - 1) * 3; x < width; x++, o += 3, i -= 3) {
      out[o] = data[i]!;
      out[o + 1] = data[i + 1]!;
      out[o + 2] = data[i + 2]!;
    }
  }
  return { width, height, data: out };
}
