import type { ModelCard } from "@duchenne/model";
import type { Store } from "@duchenne/store";
import { BuiltInModelError } from "../built-in-model-error.ts";
import { BUILT_IN_MODEL, cardOf } from "../describe-version.ts";
import { InvalidFieldError } from "../invalid-field-error.ts";
import { resolveVersion } from "../model-service.ts";
import { versionName } from "../resource-name.ts";

/** Thrown when a training needs another kind of model than the one it is given. */
export class WrongModelKindError extends InvalidFieldError {
  readonly reason = "WRONG_MODEL_KIND";

  constructor(field: string, expected: string, name: string, actual: ModelCard["config"]["kind"]) {
    const kinds = {
      vit: "an action unit detector",
      "vit-expression": "an expression classifier",
      mae: "an autoencoder",
    };
    super(field, `Expected ${expected}, ${name} is ${kinds[actual]}`);
  }
}

/** A trained version: its full name and its card. */
export interface TrainedVersion {
  /** "models/{model}/versions/{version}". */
  readonly name: string;
  readonly card: ModelCard;
}

/**
 * Finds a trained version by its name or an alias.
 *
 * @throws {NotFoundError} @throws {ResourceNameError} @throws {BuiltInModelError}
 */
export async function trainedVersion(store: Store, reference: string, field: string): Promise<TrainedVersion> {
  const record = await resolveVersion(store, reference, field);
  if (record.model === BUILT_IN_MODEL) throw new BuiltInModelError(field);
  return { name: versionName(record.model, record.version), card: cardOf(record) };
}
