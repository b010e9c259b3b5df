/** Thrown when nothing has the given name. */
export class NotFoundError extends Error {
  readonly code = "not_found";
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;

  /** @param kind what was looked for, such as "job" */
  constructor(kind: string, name: string) {
    super(`There is no ${kind} "${name}"`);
    this.name = "NotFoundError";
    this.reason = `${kind.toUpperCase().replaceAll(/[- ]/g, "_")}_NOT_FOUND`;
    this.metadata = { name };
  }
}

/** Thrown when a name or a request id is taken by something else. */
export class AlreadyExistsError extends Error {
  readonly code = "already_exists";
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.name = "AlreadyExistsError";
    this.reason = reason;
  }
}

/** Thrown when an attempt that is no longer the job's current one tries to write. It must stop. */
export class FencedError extends Error {
  readonly code = "aborted";
  readonly reason = "STALE_ATTEMPT";

  constructor(job: string, attempt: number) {
    super(`Attempt ${attempt} of job ${job} is not the running one any more`);
    this.name = "FencedError";
  }
}

/** Thrown when a job has ended and cannot change any more. */
export class JobEndedError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "JOB_ENDED";

  constructor(job: string, state: string) {
    super(`Expected a job that has not ended, job ${job} is ${state}`);
    this.name = "JobEndedError";
  }
}

/** Thrown when a job that has not failed is to be tried again. */
export class JobNotFailedError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "JOB_NOT_FAILED";

  constructor(job: string, state: string) {
    super(`Expected a job that has failed, job ${job} is ${state}`);
    this.name = "JobNotFailedError";
  }
}

/** Thrown when a job cannot be paused or resumed in its state. */
export class JobStateError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "JOB_STATE";

  constructor(job: string, expected: string, actual: string) {
    super(`Expected a job that ${expected}, job ${job} is ${actual}`);
    this.name = "JobStateError";
  }
}

/** Thrown when a job is to wait for another that can no longer succeed. */
export class DependencyFailedError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "DEPENDENCY_FAILED";

  constructor(job: string, state: string) {
    super(`Expected a job to wait for that can still succeed, job ${job} is ${state}`);
    this.name = "DependencyFailedError";
  }
}

/** Thrown when a version cannot be deleted, because an alias points at it or a job that has not ended needs it. */
export class ModelVersionInUseError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "MODEL_VERSION_IN_USE";

  constructor(version: string, users: readonly string[]) {
    super(`Expected a version that nothing uses, ${version} is used by ${users.join(", ")}`);
    this.name = "ModelVersionInUseError";
  }
}

/** Thrown when an evaluation cannot be deleted, because a job that has not ended made it or combines it with others. */
export class EvaluationInUseError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "EVALUATION_IN_USE";

  constructor(evaluation: string, user: string) {
    super(`Expected an evaluation that nothing uses, ${evaluation} is used by ${user}`);
    this.name = "EvaluationInUseError";
  }
}

/** Thrown when a data set cannot be deleted, because jobs that have not ended read it or have just drawn it. */
export class DatasetInUseError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "DATASET_IN_USE";
  /** The data set, and one of the jobs. */
  readonly metadata: Readonly<Record<string, string>>;

  constructor(name: string, jobs: readonly string[]) {
    super(`Expected a data set that no unfinished job needs, ${name} is needed by ${jobs.join(", ")}`);
    this.name = "DatasetInUseError";
    this.metadata = { name, job: jobs[0]! };
  }
}

/** Thrown when the data set that a job is to read was deleted, and another one registered under its id. */
export class DatasetReplacedError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "DATASET_REPLACED";
  readonly metadata: Readonly<Record<string, string>>;

  constructor(name: string, expected: string, actual: string) {
    super(
      `Expected ${name} with digest ${expected}, another one is registered under this name, with ${actual}. Start a new job for it.`,
    );
    this.name = "DatasetReplacedError";
    this.metadata = { name, expected, actual };
  }
}

/** Thrown when an alias moved since the caller read it. */
export class AliasMovedError extends Error {
  readonly code = "aborted";
  readonly reason = "ALIAS_MOVED";

  constructor(alias: string, expected: string, actual: string) {
    super(`Expected the alias ${alias} at etag ${expected}, it is at ${actual}`);
    this.name = "AliasMovedError";
  }
}

/** Thrown when a page token was not made by the method it is given to. */
export class InvalidPageTokenError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "INVALID_PAGE_TOKEN";
  readonly violations = [{ field: "page_token", description: "Expected a token of an earlier answer" }];

  constructor() {
    super("Expected a page token of an earlier answer");
    this.name = "InvalidPageTokenError";
  }
}

/** Thrown when stored bytes are missing or are not those that were stored. */
export class BlobDamagedError extends Error {
  readonly code = "data_loss";
  readonly reason = "BLOB_DAMAGED";
  readonly digest: string;
  /** What is wrong with it, such as "is missing". */
  readonly problem: string;

  constructor(digest: string, problem: string) {
    super(`Blob ${digest} ${problem}`);
    this.name = "BlobDamagedError";
    this.digest = digest;
    this.problem = problem;
  }
}

/** Thrown when stored bytes are there and are not those that were stored; who reads them over a network may read them again. */
export class BlobChangedError extends BlobDamagedError {
  /** @param actual the sha256 of the bytes that are there */
  constructor(digest: string, actual: string) {
    super(digest, `holds other bytes, of sha256 ${actual}`);
  }
}

/** Thrown when a local copy of a folder is wrong and cannot be replaced, because others read it; later it may be. */
export class FolderCopyInUseError extends Error {
  readonly code = "aborted";
  readonly reason = "FOLDER_COPY_IN_USE";

  constructor(path: string) {
    super(`The copy in ${path} was changed, and others read it; it can be made again when they have ended`);
    this.name = "FolderCopyInUseError";
  }
}

/** Thrown when a database was written by a newer version of the product. */
export class SchemaTooNewError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "SCHEMA_TOO_NEW";

  constructor(database: string, actual: number, known: number) {
    super(`${database} is of version ${actual}, this program knows ${known}. Use the newer program.`);
    this.name = "SchemaTooNewError";
  }
}

/** Thrown when the database or the object store cannot be reached, or not now; the same call may succeed later. */
export class StoreUnavailableError extends Error {
  readonly code = "unavailable";
  readonly reason = "STORE_UNAVAILABLE";

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "StoreUnavailableError";
  }
}

/** Thrown when the database or the object store refuses: somebody must give other credentials or rights first. */
export class StoreRefusedError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "STORE_REFUSED";

  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = "StoreRefusedError";
  }
}

/** Thrown when the database says that what it holds is damaged: only a backup brings it back. */
export class StoreDamagedError extends Error {
  readonly code = "data_loss";
  readonly reason = "STORE_DAMAGED";

  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = "StoreDamagedError";
  }
}

/** Thrown when objects belong to another database: what this one does not know would be removed as garbage. */
export class StoreMismatchError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "STORE_MISMATCH";

  constructor(objects: string, expected: string, actual: string) {
    super(
      `The objects in ${objects} belong to another database (${actual || "a mark that cannot be read"}, not ${expected}). ` +
        "Use the database that they were stored with, or an empty place.",
    );
    this.name = "StoreMismatchError";
  }
}

/** Thrown when the address of a store cannot be read. */
export class StoreAddressError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "INVALID_STORE_ADDRESS";

  constructor(expected: string, actual: string) {
    super(`Expected ${expected}, got "${actual}"`);
    this.name = "StoreAddressError";
  }
}
