/** Thrown when weights are of no model that is known here. */
export class UnsupportedWeightsError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "UNSUPPORTED_WEIGHTS";

  constructor(message: string) {
    super(message);
    this.name = "UnsupportedWeightsError";
  }
}

/** Thrown when what a caller says about weights is not what they are; `violations` lists every problem. */
export class ImportOptionsError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "IMPORT_OPTIONS_MISMATCH";
  readonly violations: readonly { readonly field: string; readonly description: string }[];

  /** @param violations by the names of ImportOptions */
  constructor(violations: readonly { readonly field: string; readonly description: string }[]) {
    super(violations.map(({ description }) => description).join("; "));
    this.name = "ImportOptionsError";
    this.violations = violations;
  }
}
