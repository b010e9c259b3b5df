import { type DetectorCard, type ModelCard, modelCardSchema } from "@duchenne/model";
import type { JsonObject, ModelVersionRecord, Store } from "@duchenne/store";
import { describeBuiltInModel, type ModelDescription, type VitSource } from "@duchenne/vision";
import { versionName } from "./resource-name.ts";

/** The model that ships with the product. */
export const BUILT_IN_MODEL = "blendshape-au";

/** Registers the built-in model, so that it is read and promoted like any other. */
export async function ensureBuiltInModel(store: Store): Promise<void> {
  await store.models.ensureBuiltIn(BUILT_IN_MODEL, describeBuiltInModel() as unknown as JsonObject);
}

/** Thrown when an action unit detector is asked for and the version is something else. */
export class NotADetectorError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "NOT_A_DETECTOR";

  /** @param purpose what it is asked for, such as "for models/default@live" @param advice what to do instead */
  constructor(version: ModelVersionRecord, purpose = "", advice = "") {
    const name = versionName(version.model, version.version);
    super(
      `Expected an action unit detector${purpose && ` ${purpose}`}, ${name} is ${roleOf(version)}${advice && `. ${advice}`}`,
    );
    this.name = "NotADetectorError";
  }
}

const ROLES = {
  "blendshape-au": "an action unit detector",
  vit: "an action unit detector",
  "vit-expression": "an expression classifier",
  mae: "a masked autoencoder",
} as const;

/** What a version is for, in words: of whatever make, detectors are one. */
export function roleOf(version: ModelVersionRecord): (typeof ROLES)[keyof typeof ROLES] {
  return ROLES[kindOf(version)];
}

/** What a version is: "blendshape-au", "vit", "vit-expression" or "mae". */
export function kindOf(version: ModelVersionRecord): ModelDescription["kind"] | ModelCard["config"]["kind"] {
  return version.model === BUILT_IN_MODEL ? describeBuiltInModel().kind : cardOf(version).config.kind;
}

/** What a version computes in when it is served. */
export function precisionOf(version: ModelVersionRecord): ModelDescription["precision"] {
  if (version.model === BUILT_IN_MODEL) return describeBuiltInModel().precision;
  return cardOf(version).quantization?.precision ?? "float32";
}

/** What a detector is, and what its scores mean. @throws {NotADetectorError} */
export function describeVersion(version: ModelVersionRecord): ModelDescription {
  if (version.model === BUILT_IN_MODEL) return describeBuiltInModel();
  const card = detectorCardOf(version);
  return {
    kind: "vit",
    precision: precisionOf(version),
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

/** An action unit detector's card, checked. @throws {NotADetectorError} */
export function detectorCardOf(version: ModelVersionRecord): DetectorCard {
  const { config, ...card } = cardOf(version);
  if (config.kind !== "vit") throw new NotADetectorError(version);
  return { ...card, config };
}

/** What the vision engine needs to load a trained version. @param path its ONNX file */
export function vitSourceFrom(card: DetectorCard, path: string): VitSource {
  return {
    kind: "vit",
    path,
    precision: card.quantization?.precision ?? "float32",
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
