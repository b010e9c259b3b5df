import { applyAugmentation } from "../augment/apply-augmentation.ts";
import type { Augmentation } from "../augment/augmentation.ts";
import { augmentationRandom, planAugmentation } from "../augment/plan-augmentation.ts";
import { resample } from "../augment/resample.ts";
import type { RgbImage } from "../image.ts";
import type { BatchJob } from "./batch-job.ts";
import { type FrameCacheMemory, openFrameCache } from "./frame-cache.ts";
import { readSample, type SampleSource } from "./sample-source.ts";

/** What is the same for all samples of a loader. */
export interface SampleWriterSettings {
  readonly imageSize: number;
  readonly augmentation: Augmentation;
  readonly seed: number;
  readonly cache: FrameCacheMemory;
}

/** Reads, augments and normalises one sample of a batch into its place. */
export type SampleWriter = (job: BatchJob, position: number) => Promise<void>;

/** Makes a writer. What does not depend on the draw (decoding, the face's crop, resizing the whole) is cached. */
export function createSampleWriter({ imageSize, augmentation, seed, cache }: SampleWriterSettings): SampleWriter {
  const frames = openFrameCache(cache);
  const { crop } = augmentation;

  async function frame(source: SampleSource, index: number): Promise<RgbImage> {
    const kept = frames.get(index);
    if (kept !== undefined) return kept;
    const read = await readSample(source, imageSize);
    const made =
      crop.kind === "whole" ? resample(read, { width: imageSize, height: imageSize, filter: crop.filter }) : read;
    frames.put(index, made);
    return made;
  }

  return async ({ samples, epoch, pixels }, position) => {
    const sample = samples[position]!;
    const image = await frame(sample, sample.index);
    const plan = planAugmentation(augmentation, image, imageSize, augmentationRandom(seed, epoch, sample.index));
    const length = 3 * imageSize * imageSize;
    applyAugmentation(image, plan, imageSize, new Float32Array(pixels, position * length * 4, length));
  };
}
