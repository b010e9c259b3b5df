/** Data sets of labelled faces: reading, splitting, batching, cropping, and SynthFACS, synthetic faces with action units. */
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
  type CurationControl,
  type CurationProgress,
  curateFolder,
  NoImagesLeftError,
} from "./curation/curate-folder.ts";
export { type CurationCounts, describeExclusions } from "./curation/curation-counts.ts";
export { type CurationLine, curationLineSchema } from "./curation/curation-line.ts";
export { CURATION_LOG, readCurationCounts } from "./curation/curation-log.ts";
export {
  type CurationOptions,
  curationOptionsSchema,
  EXCLUSION_REASONS,
  type ExclusionReason,
} from "./curation/curation-options.ts";
export { UnusableVideoError, type VideoReader } from "./curation/sample-frames.ts";
export { walkSources } from "./curation/walk-sources.ts";
export { type Dataset, PARTITIONS, type Partition, PROTOCOLS, type Protocol, type Sample } from "./dataset.ts";
export { type DatasetFiles, filesFromList, type ListedFiles } from "./dataset-files.ts";
export { drawFolds, type FoldSource, foldErrors } from "./folds.ts";
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
export { ManifestError, type ManifestProblem } from "./manifest-error.ts";
export {
  DATASET_FORMATS,
  type DatasetSource,
  datasetSourceSchema,
  type OpenOptions,
  openDataset,
} from "./open-dataset.ts";
export {
  ACTION_UNIT_PROTOCOLS,
  type ActionUnitProtocol,
  type ActionUnitProtocolName,
} from "./protocols/action-unit-protocol.ts";
export { type Conversion, type ConvertOptions, convertLabels } from "./protocols/convert-labels.ts";
export { EXPRESSION_PROTOCOLS } from "./protocols/expression-protocol.ts";
export { PUBLISHED_IMAGE_PATHS } from "./protocols/image-path.ts";
export { createRandom, type Random, type RandomState } from "./random.ts";
export {
  holdOutValidation,
  type Split,
  type SplitOptions,
  type SplitSource,
  splitByFold,
  splitByPartition,
  splitBySubject,
  splitWithinSubject,
  type ValidatedSplit,
} from "./split.ts";
export {
  EmptySplitError,
  FoldOutOfRangeError,
  NoFoldsError,
  NoPartitionError,
  RepeatedFoldSubjectError,
  SplitError,
  SubjectWithoutFoldError,
  TooFewFramesError,
  TooFewSubjectsError,
  UnknownFoldSubjectError,
} from "./split-errors.ts";
export { CanonicalFaceMissingError } from "./synthfacs/canonical-face-file.ts";
export {
  createSyntheticFrame,
  frameWith,
  type Light,
  NEUTRAL_FRAME,
  type SyntheticFrame,
} from "./synthfacs/frame.ts";
export { type PhotoFrame, photoFrameWith } from "./synthfacs/photo/photo-frame.ts";
export { photoSheets } from "./synthfacs/photo/photo-sheets.ts";
export {
  type Portrait,
  portraitProblems,
  UnusablePortraitError,
} from "./synthfacs/photo/portrait.ts";
export { type RenderedPhoto, renderPhoto } from "./synthfacs/photo/render-photo.ts";
export { type PhotoSynthesisOptions, synthesizePhotos } from "./synthfacs/photo/synthesize-photos.ts";
export { contactSheet, pngFromImage, type Tile } from "./synthfacs/preview/contact-sheet.ts";
export { type PreviewOptions, previewSheets } from "./synthfacs/preview/preview-sheets.ts";
export { PROTOCOL_PREVALENCE } from "./synthfacs/protocol/protocol-prevalence.ts";
export { createProtocolSubjects, protocolSubjectRange } from "./synthfacs/protocol/protocol-subjects.ts";
export {
  type Framing,
  type RenderedFace,
  type RenderOptions,
  renderFace,
  renderLabelledFace,
} from "./synthfacs/render.ts";
export { renderSequence, type SequenceFrame } from "./synthfacs/sequence/render-sequence.ts";
export { createSyntheticSequence, type SequenceOptions } from "./synthfacs/sequence/synthetic-sequence.ts";
export { type SequenceFiles, sequenceFilesSchema, writeSequence } from "./synthfacs/sequence/write-sequence.ts";
export {
  createSyntheticSubject,
  SYNTHFACS_ACTION_UNITS,
  SYNTHFACS_BASE_RATES,
  type SyntheticSubject,
} from "./synthfacs/subject.ts";
export { type SynthFacsOptions, synthFacsSchema } from "./synthfacs/synth-facs-options.ts";
export {
  FACE_OVAL_CONVENTION,
  type SynthesisControl,
  synthesizeDataset,
} from "./synthfacs/synthesize-dataset.ts";
export type { DatasetVisitor } from "./visit-files.ts";
