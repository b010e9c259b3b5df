/** What the services share: configuration, the life of a process, resource names, and the services over the store. */
export { allowedPath } from "./allowed-path.ts";
export { blobChunks } from "./blob-chunks.ts";
export { BuiltInModelError } from "./built-in-model-error.ts";
export {
  ConfigurationError,
  jobConfigShape,
  onOff,
  type ProcessConfig,
  parseConfiguration,
  processConfigShape,
} from "./config-source.ts";
export { actionUnitMessages, precisionMessage, scoreKindMessage, thresholdOriginMessage } from "./convert.ts";
export { curationSpecSchema } from "./curation/curation-spec.ts";
export { createDatasetService } from "./dataset-service.ts";
export { datasetDescription, describeDataset } from "./describe-dataset.ts";
export { BUILT_IN_MODEL, cardOf, describeVersion, detectorCardOf, vitSourceFrom } from "./describe-version.ts";
export { exactDuration, exactDurationMs } from "./duration.ts";
export { heldOutFrames, isHeldOutKnown } from "./held-out-part.ts";
export { InvalidFieldError } from "./invalid-field-error.ts";
export { createJobService, DEFAULT_PAGE_SIZE } from "./job-service.ts";
export { keepDataset } from "./keep-dataset.ts";
export { createModelService, resolveVersion } from "./model-service.ts";
export { namingVersionFile } from "./naming-version-file.ts";
export { datasetRead, openRegisteredDataset, openRegisteredLabels } from "./open-registered-dataset.ts";
export { calibrationParts } from "./quantization/calibration-frames.ts";
export { type QuantizationSpec, quantizationSpecSchema } from "./quantization/quantization-spec.ts";
export { isRemovalRest, removeUnusedFolder } from "./remove-unused-folder.ts";
export {
  aliasName,
  crossValidationName,
  datasetName,
  evaluationName,
  jobName,
  modelName,
  parseCrossValidationName,
  parseDatasetName,
  parseEvaluationName,
  parseJobName,
  parseModelName,
  parseModelReference,
  parseProjectionName,
  parseVersionName,
  projectionName,
  versionName,
} from "./resource-name.ts";
export { type HostedService, runServiceProcess, type ServiceContext, startServiceProcess } from "./service-process.ts";
export { newJobOptions, submitJob } from "./submit-job.ts";
export { tellOfCopy } from "./tell-of-copy.ts";
export { createDatasetUploads } from "./uploads/dataset-uploads.ts";
