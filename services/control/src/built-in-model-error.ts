import { BUILT_IN_MODEL } from "./describe-version.ts";
import { InvalidFieldError } from "./invalid-field-error.ts";

/** Thrown when a model that ships with the product is to be changed, or one without weights is to be trained. */
export class BuiltInModelError extends InvalidFieldError {
  readonly reason = "BUILT_IN_MODEL";

  constructor(field: string) {
    super(field, `Expected a model of your own, got the built-in models/${BUILT_IN_MODEL}`);
  }
}
