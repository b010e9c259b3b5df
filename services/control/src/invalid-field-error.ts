/** A field of a request that cannot be as it is; each outcome that a caller can act on is a class of its own. */
export abstract class InvalidFieldError extends Error {
  readonly code = "invalid_argument";
  /** What happened, for programs. */
  abstract readonly reason: string;
  readonly violations: readonly { readonly field: string; readonly description: string }[];

  /** @param description expected and actual */
  constructor(field: string, description: string) {
    super(description);
    this.name = new.target.name;
    this.violations = [{ field, description }];
  }
}
