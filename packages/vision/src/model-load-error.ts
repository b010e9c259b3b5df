/** Thrown when a model's file is missing, damaged or not of the expected form. */
export class ModelLoadError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "MODEL_LOAD_FAILED";

  constructor(description: string) {
    super(description);
    this.name = "ModelLoadError";
  }
}
