import { InvalidFieldError } from "@duchenne/control";

/** Thrown when subjects are needed and the data set names none. */
export class NoSubjectsError extends InvalidFieldError {
  readonly reason = "NO_SUBJECTS";

  /** @param purpose what subjects are needed for, such as "measure identity leakage on" */
  constructor(field: string, purpose: string, dataset: string) {
    super(field, `Expected a data set with subjects to ${purpose}, ${dataset} has none`);
  }
}
