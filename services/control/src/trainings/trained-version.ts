import type { ModelCard, Quantization } from "@duchenne/model";
import type { Store } from "@duchenne/store";
import { BuiltInModelError } from "../built-in-model-error.ts";
import { BUILT_IN_MODEL, cardOf } from "../describe-version.ts";
import { InvalidFieldError } from "../invalid-field-error.ts";
import { resolveVersion } from "../model-service.ts";
import { versionName } from "../resource-name.ts";

type Lineage = ModelCard["lineage"];

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

/** Thrown when weights in float32 are needed and the version is in integers. */
export class NoFloatWeightsError extends InvalidFieldError {
  readonly reason = "NO_FLOAT_WEIGHTS";

  constructor(field: string, name: string, { precision }: Quantization, { quantizedModelVersion: of }: Lineage) {
    const instead = of === undefined ? "" : `; take ${of}, of which it was made`;
    super(field, `Expected a version in float32, ${name} is in ${precision}${instead}`);
  }
}

/** A trained version: its full name and its card. */
export interface TrainedVersion {
  /** "models/{model}/versions/{version}". */
  readonly name: string;
  readonly card: ModelCard;
}

/**
 * Finds a trained version whose weights can be read, by its name or an alias.
 *
 * @throws {NotFoundError} @throws {ResourceNameError} @throws {BuiltInModelError} @throws {NoFloatWeightsError}
 */
export async function trainedVersion(store: Store, reference: string, field: string): Promise<TrainedVersion> {
  const record = await resolveVersion(store, reference, field);
  if (record.model === BUILT_IN_MODEL) throw new BuiltInModelError(field);
  const [name, card] = [versionName(record.model, record.version), cardOf(record)];
  if (card.quantization !== undefined) throw new NoFloatWeightsError(field, name, card.quantization, card.lineage);
  return { name, card };
}
