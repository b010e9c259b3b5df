import type { Dataset, Sample } from "./dataset.ts";
import { normaliseImage, type RgbImage, resizeImage } from "./image.ts";
import { readSample } from "./input/sample-source.ts";

/** Reads a data set's images as a model's input. */
export interface ImageLoader {
  /**
   * The images of some samples, cropped, resized and normalised: [B, 3, S, S], in the given order.
   *
   * @throws {UnreadableImageError} when an image cannot be decoded
   */
  load(sampleIndices: ArrayLike<number>): Promise<Float32Array>;
}

/** How an `ImageLoader` reads. */
export interface ImageLoaderOptions {
  /** Side of the model's input, in pixels. */
  readonly imageSize: number;
  /** Decoded crops are kept until they fill this many bytes; 0 keeps none. Default 512 MiB. */
  readonly cacheBytes?: number;
}

/** Makes a loader. Crops are kept as 8-bit pixels, so a small set is decoded once. */
export function createImageLoader(
  dataset: Pick<Dataset, "samples">,
  { imageSize, cacheBytes = 512 * 2 ** 20 }: ImageLoaderOptions,
): ImageLoader {
  const bytesPerImage = imageSize * imageSize * 3;
  const cache = new Map<number, RgbImage>();
  async function crop(index: number): Promise<RgbImage> {
    const kept = cache.get(index);
    if (kept !== undefined) return kept;
    const image = await loadCrop(dataset.samples[index]!, imageSize);
    if ((cache.size + 1) * bytesPerImage <= cacheBytes) cache.set(index, image);
    return image;
  }
  return {
    async load(sampleIndices) {
      const out = new Float32Array(sampleIndices.length * bytesPerImage);
      const crops = await Promise.all(Array.from(sampleIndices, crop));
      for (const [i, image] of crops.entries()) normaliseImage(image, out, i * bytesPerImage);
      return out;
    },
  };
}

async function loadCrop(sample: Sample, size: number): Promise<RgbImage> {
  return resizeImage(await readSample(sample, size), size, size);
}

/** Mirrors image `index` of a [B, 3, S, S] batch left to right, in place. */
export function mirrorInBatch(batch: Float32Array, index: number, imageSize: number): void {
  const rows = 3 * imageSize;
  for (let row = 0; row < rows; row++) {
    const start = (index * rows + row) * imageSize;
    batch.subarray(start, start + imageSize).reverse();
  }
}
