import type { Box } from "../image.ts";
import { createRandom, type Random, type RandomState } from "../random.ts";
import { type CropRange, drawBetween } from "./random-resized-crop.ts";

/** A rectangle to be filled with noise. */
export interface Erasing extends Box {
  /** Where the noise comes from. */
  readonly noise: RandomState;
}

/**
 * Draws a rectangle of an S x S image (Zhong et al. 2020, as in timm): ten tries to find one that is smaller than the
 * image in both directions, else undefined. `range.aspect` is height over width.
 */
export function drawErasing(size: number, range: CropRange, random: Random): Erasing | undefined {
  const [minAspect, maxAspect] = range.aspect;
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = drawBetween(range.area, random) * size * size;
    const aspect = Math.exp(drawBetween([Math.log(minAspect), Math.log(maxAspect)], random));
    const height = Math.round(Math.sqrt(area * aspect));
    const width = Math.round(Math.sqrt(area / aspect));
    if (!(width < size && height < size)) continue;
    const top = random.integer(size - height + 1);
    const left = random.integer(size - width + 1);
    // One draw is the seed of the noise, so that a plan stays small.
    return { left, top, width, height, noise: createRandom([random.integer(2 ** 48)]).state() };
  }
  return undefined;
}

/** Fills a rectangle of a normalised image [3, S, S], which begins at `offset` of `out`, with standard normal noise. */
export function erase(
  out: Float32Array,
  offset: number,
  size: number,
  { left, top, width, height, noise }: Erasing,
): void {
  const random = createRandom({ state: noise });
  for (let channel = 0; channel < 3; channel++) {
    for (let y = top; y < top + height; y++) {
      const row = offset + (channel * size + y) * size + left;
      for (let x = 0; x < width; x++) out[row + x] = random.normal();
    }
  }
}
