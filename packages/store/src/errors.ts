/** Thrown when nothing has the given name. */
export class NotFoundError extends Error {
  readonly code = "not_found";
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;

  /** @param kind what was looked for, such as "job" */
  constructor(kind: string, name: string) {
    super(`There is no ${kind} "${name}"`);
    this.name = "NotFoundError";
    this.reason = `${kind.toUpperCase().replaceAll(" ", "_")}_NOT_FOUND`;
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

  constructor(digest: string, problem: string) {
    super(`Blob ${digest} ${problem}`);
    this.name = "BlobDamagedError";
  }
}
