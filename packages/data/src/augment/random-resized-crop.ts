import type { Box } from "../image.ts";
import type { Random } from "../random.ts";

/** Which crops are drawn. */
export interface CropRange {
  /** Share of the image's area. */
  readonly area: readonly [min: number, max: number];
  /** Width over height, drawn uniformly in its logarithm. */
  readonly aspect: readonly [min: number, max: number];
}

/**
 * Draws a crop (Szegedy et al. 2015, as in torchvision and timm): ten tries, then the largest centred crop whose aspect
 * is allowed.
 */
export function drawCrop(
  image: { readonly width: number; readonly height: number },
  range: CropRange,
  random: Random,
): Box {
  const [minAspect, maxAspect] = range.aspect;
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = drawBetween(range.area, random) * image.width * image.height;
    const aspect = Math.exp(drawBetween([Math.log(minAspect), Math.log(maxAspect)], random));
    const width = Math.round(Math.sqrt(area * aspect));
    const height = Math.round(Math.sqrt(area / aspect));
    if (width < 1 || height < 1 || width > image.width || height > image.height) continue;
    const top = random.integer(image.height - height + 1);
    const left = random.integer(image.width - width + 1);
    return { left, top, width, height };
  }
  const aspect = image.width / image.height;
  const width = aspect > maxAspect ? Math.round(image.height * maxAspect) : image.width;
  const height = aspect < minAspect ? Math.round(image.width / minAspect) : image.height;
  return { left: (image.width - width) >> 1, top: (image.height - height) >> 1, width, height };
}

/** Uniform in [min, max). */
export function drawBetween([min, max]: readonly [min: number, max: number], random: Random): number {
  return min + (max - min) * random.uniform();
}
