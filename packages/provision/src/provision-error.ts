/** Thrown when something cannot be had; `remedy` says what to install or change. */
export class ProvisionError extends Error {
  readonly code = "failed_precondition";
  readonly reason: string;
  readonly remedy: string;

  /** @param reason what is missing, such as "TENSORFLOW_UNAVAILABLE" */
  constructor(reason: string, message: string, remedy: string, cause?: unknown) {
    super(`${message} ${remedy}`, { cause });
    this.name = "ProvisionError";
    this.reason = reason;
    this.remedy = remedy;
  }
}
