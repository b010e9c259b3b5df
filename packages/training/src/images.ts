import {
  AUGMENTATIONS,
  type AugmentationName,
  type BatchLoader,
  createBatchLoader,
  type Dataset,
} from "@duchenne/data";

/** Images of a training, augmented, and of its held-out part, as they are: made in worker threads. */
export interface TrainingImages {
  /** [B, 3, S, S], normalised; what is drawn for a sample is a function of seed, epoch and sample. */
  augmented(samples: Uint32Array, epoch: number): Promise<Float32Array>;
  /** [B, 3, S, S], normalised. */
  plain(samples: Uint32Array): Promise<Float32Array>;
  close(): Promise<void>;
}

/** How images are made. */
export interface TrainingImagesOptions {
  readonly imageSize: number;
  readonly augmentation: AugmentationName;
  readonly seed: number;
}

/** Opens a data set's images; threads start with the first that are asked for. */
export function createTrainingImages(
  dataset: Dataset,
  { imageSize, augmentation, seed }: TrainingImagesOptions,
): TrainingImages {
  const loaders = new Map<AugmentationName, BatchLoader>();
  const loaderOf = (name: AugmentationName): BatchLoader => {
    let loader = loaders.get(name);
    if (loader === undefined) {
      loader = createBatchLoader(dataset, { imageSize, augmentation: AUGMENTATIONS[name], seed });
      loaders.set(name, loader);
    }
    return loader;
  };
  return {
    augmented: async (samples, epoch) => (await loaderOf(augmentation).load(samples, epoch)).images,
    plain: async (samples) => (await loaderOf("none").load(samples, 0)).images,
    async close() {
      await Promise.all([...loaders.values()].map((loader) => loader.close()));
    },
  };
}
