import { InvalidFieldError } from "@duchenne/control";

/** Thrown when identity leakage is asked for of a data set that names no subjects. */
export class NoSubjectsError extends InvalidFieldError {
  readonly reason = "NO_SUBJECTS";

  constructor(dataset: string) {
    super("identity_leakage", `Expected a data set with subjects to measure identity leakage on, ${dataset} has none`);
  }
}
