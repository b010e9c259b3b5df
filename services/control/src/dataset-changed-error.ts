/** Thrown when the files of a data set are not those that were registered. */
export class DatasetChangedError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "DATASET_CHANGED";

  constructor(name: string, expected: string, actual: string) {
    super(`Expected ${name} with digest ${expected}, its files have ${actual}. Register the folder under a new id.`);
    this.name = "DatasetChangedError";
  }
}
