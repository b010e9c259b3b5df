/** Jobs, events, models, data sets and reports in SQLite, and their bytes on disk. */
export { type BlobReference, type Blobs, type Checkpoints, openBlobs } from "./blobs.ts";
export type { DatasetRecord, Datasets, NewDataset } from "./datasets.ts";
export { DiskFullError, storing } from "./disk-full.ts";
export {
  AliasMovedError,
  AlreadyExistsError,
  BlobDamagedError,
  FencedError,
  InvalidPageTokenError,
  JobEndedError,
  JobNotFailedError,
  NotFoundError,
} from "./errors.ts";
export type { EvaluationRecord, Evaluations } from "./evaluations.ts";
export type { AttemptOutcome } from "./job-attempts.ts";
export {
  hasEnded,
  type JobError,
  type JobEvent,
  type JobEventBody,
  type JobRecord,
  type JobState,
  jobEventBodySchema,
} from "./job-record.ts";
export type { NewJob } from "./job-requests.ts";
export type { Jobs } from "./jobs.ts";
export type { JsonObject, JsonValue } from "./json.ts";
export type { AliasRecord, ModelArtifact, ModelRecord, Models, ModelVersionRecord, NewModelVersion } from "./models.ts";
export { openStore, type Store } from "./open-store.ts";
export type { PageRequest } from "./page.ts";
