/** Data sets of labelled faces: reading, splitting, batching, cropping, and SynthFACS, drawn faces with action units. */
export { ACTION_UNITS, type ActionUnit, actionUnitName } from "./action-unit.ts";
export { applyAugmentation, augmentPixels } from "./augment/apply-augmentation.ts";
export {
  AUGMENTATIONS,
  type Augmentation,
  type AugmentationName,
  augmentationSchema,
} from "./augment/augmentation.ts";
export { OPERATION_NAMES, OPERATIONS, type OperationName } from "./augment/operation.ts";
export {
  type AugmentationPlan,
  augmentationRandom,
  type PlannedOperation,
  planAugmentation,
} from "./augment/plan-augmentation.ts";
export { drawErasing, type Erasing } from "./augment/random-erasing.ts";
export { type CropRange, drawCrop } from "./augment/random-resized-crop.ts";
export { type ResampleFilter, type ResampleOptions, resample } from "./augment/resample.ts";
export { type BatchOrder, type BatchOrderOptions, createBatchOrder } from "./batch-order.ts";
export {
  type Box,
  cropFace,
  IMAGENET_MEAN,
  IMAGENET_STD,
  normaliseImage,
  type RgbImage,
  resizeImage,
} from "./image.ts";
export { createImageLoader, type ImageLoader, type ImageLoaderOptions, mirrorInBatch } from "./image-loader.ts";
export {
  type Batch,
  type BatchLoader,
  BatchLoaderClosedError,
  type BatchLoaderOptions,
  createBatchLoader,
  type PlannedBatch,
} from "./input/batch-loader.ts";
export { UnreadableImageError } from "./input/sample-source.ts";
export {
  type Dataset,
  type DatasetConfiguration,
  ManifestError,
  type ManifestProblem,
  openDataset,
  type Sample,
} from "./manifest.ts";
export { createRandom, type Random, type RandomState } from "./random.ts";
export { type Split, type SplitOptions, type SplitSource, splitBySubject, splitWithinSubject } from "./split.ts";
export { createSyntheticFrame, NEUTRAL_FRAME, type SyntheticFrame } from "./synthfacs/frame.ts";
export { renderFace } from "./synthfacs/render.ts";
export {
  createSyntheticSubject,
  SYNTHFACS_ACTION_UNITS,
  SYNTHFACS_BASE_RATES,
  type SyntheticSubject,
} from "./synthfacs/subject.ts";
export {
  FACE_OVAL_CONVENTION,
  type SynthesisControl,
  type SynthFacsOptions,
  synthesizeDataset,
  synthFacsSchema,
} from "./synthfacs/synthesize-dataset.ts";
