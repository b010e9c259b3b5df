import { createImageLoader, createRandom, type Dataset, mirrorInBatch } from "@duchenne/data";
import type { AugmentationName } from "./recipes/augmentation.ts";

/** Images of a training, augmented, and of its held-out part, as they are. */
export interface TrainingImages {
  /** [B, 3, S, S], normalised; what is drawn for a sample is a function of seed, epoch and sample. */
  augmented(samples: Uint32Array, epoch: number): Promise<Float32Array>;
  /** [B, 3, S, S], normalised. */
  plain(samples: Uint32Array): Promise<Float32Array>;
  close(): Promise<void>;
}
export type _Unused = AugmentationName;
export function createTrainingImages(
  dataset: Dataset,
  { imageSize, augmentation, seed }: { imageSize: number; augmentation: AugmentationName; seed: number },
): TrainingImages {
  const loader = createImageLoader(dataset, { imageSize });
  return {
    async augmented(samples, epoch) {
      const images = await loader.load(samples);
      if (augmentation === "none") return images;
      for (const [i, sample] of samples.entries()) {
        if (createRandom([seed, "flip", epoch, sample]).uniform() < 0.5) mirrorInBatch(images, i, imageSize);
      }
      return images;
    },
    plain: (samples) => loader.load(samples),
    close: async () => {},
  };
}
