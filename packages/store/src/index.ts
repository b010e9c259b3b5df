/** Jobs, events, models, data sets and reports in SQLite or PostgreSQL; their bytes on disk or behind an S3 API. */
export { type BlobReference, type Blobs, type Checkpoints, openBlobs, type StoredObject } from "./blobs.ts";
export type { Collected } from "./collect-garbage.ts";
export type { CrossValidationRecord, CrossValidations } from "./cross-validations.ts";
export type { DatasetRead, DatasetRecord, Datasets, NewDataset } from "./datasets.ts";
export { DiskFullError, storing } from "./disk-full.ts";
export { writeDurably } from "./durable-files.ts";
export {
  AliasMovedError,
  AlreadyExistsError,
  BlobDamagedError,
  DatasetInUseError,
  DatasetReplacedError,
  DependencyFailedError,
  FencedError,
  FolderCopyInUseError,
  InvalidPageTokenError,
  JobEndedError,
  JobNotFailedError,
  JobStateError,
  ModelVersionInUseError,
  NotFoundError,
  SchemaTooNewError,
  StoreAddressError,
  StoreDamagedError,
  StoreMismatchError,
  StoreRefusedError,
  StoreUnavailableError,
} from "./errors.ts";
export type { EvaluationRecord, Evaluations } from "./evaluations.ts";
export { type FileLock, tryLock } from "./folders/file-lock.ts";
export type { FolderCopy } from "./folders/folder-copies.ts";
export type { FolderReader, Folders } from "./folders/folders.ts";
export type { FolderWriter, KeptFolder } from "./folders/keep-folder.ts";
export { GARBAGE_MIN_AGE_MS } from "./garbage-rules.ts";
export { type AttemptOutcome, type Claim, LONGEST_LEASE_MS, LONGEST_RETRY_MS } from "./job-attempts.ts";
export type { JobCheckpoint } from "./job-checkpoints.ts";
export {
  hasEnded,
  JOB_STATES,
  type JobError,
  type JobEvent,
  type JobEventBody,
  type JobRecord,
  type JobState,
  jobEventBodySchema,
} from "./job-record.ts";
export type { NewChild, NewJob } from "./job-requests.ts";
export type { Jobs } from "./jobs.ts";
export { canonicalJson, type JsonObject, type JsonValue } from "./json.ts";
export type { AliasMove } from "./model-aliases.ts";
export type {
  AliasMoveRecord,
  AliasRecord,
  ModelArtifact,
  ModelRecord,
  ModelVersionRecord,
  NewModelVersion,
} from "./model-record.ts";
export type { Models } from "./models.ts";
export { openStore, type Store, type StoreLocation } from "./open-store.ts";
export type { PageRequest } from "./page.ts";
export type { RunningAttempt } from "./running-attempt.ts";
export { sha256OfFile } from "./sha256.ts";
