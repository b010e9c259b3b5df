import { type ModelCard, modelCardSchema } from "@duchenne/model";
import type { JsonObject, ModelVersionRecord, Store } from "@duchenne/store";
import { describeBuiltInModel, type ModelDescription, type VitSource } from "@duchenne/vision";

/** The model that ships with the product. */
export const BUILT_IN_MODEL = "blendshape-au";

/** Registers the built-in model, so that it is read and promoted like any other. */
export async function ensureBuiltInModel(store: Store): Promise<void> {
  await store.models.ensureBuiltIn(BUILT_IN_MODEL, describeBuiltInModel() as unknown as JsonObject);
}

/** What a stored version is, and what its scores mean. */
export function describeVersion(version: ModelVersionRecord): ModelDescription {
  if (version.model === BUILT_IN_MODEL) return describeBuiltInModel();
  const card = cardOf(version);
  return {
    kind: "vit",
    description: card.description,
    scoreKind: "probability",
    actionUnits: vitSourceFrom(card, "").actionUnits.map((unit) => ({
      ...unit,
      lateral: false,
      source: "sigmoid of the model's logit",
    })),
    warnings: [],
  };
}

/** A trained version's card, checked. */
export function cardOf(version: ModelVersionRecord): ModelCard {
  return modelCardSchema.parse(version.card);
}

/** What the vision engine needs to load a trained version. @param path its ONNX file */
export function vitSourceFrom(card: ModelCard, path: string): VitSource {
  return {
    kind: "vit",
    path,
    imageSize: card.config.imageSize,
    description: card.description,
    actionUnits: card.thresholds.map(({ actionUnit, threshold, origin, note }) => ({
      actionUnit,
      threshold,
      thresholdOrigin: origin,
      thresholdNote: note,
    })),
    boxConvention: card.boxConvention,
  };
}
