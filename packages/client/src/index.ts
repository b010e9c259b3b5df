/** A typed client of Duchenne's services for Node. */

export { type DatasetProblem, datasetProblems } from "./dataset-problems.ts";
export { type ClientOptions, createDuchenneClient, type DuchenneClient } from "./duchenne-client.ts";
export { exportModel } from "./export-model.ts";
export { exportVideoAnalysis } from "./export-video-analysis.ts";
export { archiveOfFolder } from "./folder-archive.ts";
export type { CalibrationInput, FrameInput, StreamAnswer, StreamInput } from "./frame-input.ts";
export { type ImportModelOptions, importModel } from "./import-model.ts";
export { DamagedExportError } from "./receive-file.ts";
export { registerDataset } from "./register-dataset.ts";
export { streamFrames } from "./stream-frames.ts";
export { streamSession } from "./stream-session.ts";
export {
  archiveFile,
  type DatasetArchive,
  type UploadDatasetOptions,
  uploadDataset,
} from "./upload-dataset.ts";
export { JobNotSucceededError, jobStateName, type WatchOptions, waitForJob, watchJob } from "./watch-job.ts";
