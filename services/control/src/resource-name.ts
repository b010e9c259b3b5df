import { InvalidFieldError } from "./invalid-field-error.ts";
/** Thrown when a text is not a resource name of the expected form. */
export class ResourceNameError extends InvalidFieldError {
  readonly reason = "INVALID_RESOURCE_NAME";

  constructor(field: string, expected: string, actual: string) {
    super(field, `Expected ${expected}, got "${actual}"`);
  }
}

/** The aliases that a model can have. */
export const ALIASES = ["live", "canary"] as const;
/** An alias of a model. */
export type AliasName = (typeof ALIASES)[number];

/** A version of a model, by its number or through an alias. */
export type ModelReference =
  | { readonly model: string; readonly version: string; readonly alias?: undefined }
  | { readonly model: string; readonly alias: AliasName; readonly version?: undefined };

const ID = "[a-z0-9][a-z0-9_-]{0,62}";
const VERSION = "[a-z0-9][a-z0-9_.-]{0,62}";
const DATASET_UPLOAD_PATTERN = new RegExp(`^datasetUploads/(${ID})$`);
const MODEL_PATTERN = new RegExp(`^models/(${ID})$`);
const DATASET_PATTERN = new RegExp(`^datasets/(${ID})$`);
const VERSION_PATTERN = new RegExp(`^models/(${ID})/versions/(${VERSION})$`);
const ALIAS_PATTERN = new RegExp(`^models/(${ID})@(live|canary)$`);
const JOB_PATTERN = /^jobs\/([a-zA-Z0-9_-]{1,64})$/;
const CROSS_VALIDATION_PATTERN = /^crossValidations\/([a-zA-Z0-9_-]{1,64})$/;
const PROJECTION_PATTERN = /^projections\/([a-zA-Z0-9_-]{1,64})$/;
const EVALUATION_PATTERN = /^evaluations\/([a-zA-Z0-9_-]{1,64})$/;

/** "jobs/{job}". */
export const jobName = (id: string): string => `jobs/${id}`;
/** "datasets/{dataset}". */
export const datasetName = (id: string): string => `datasets/${id}`;
/** "datasetUploads/{dataset}". */
export const datasetUploadName = (id: string): string => `datasetUploads/${id}`;
/** "models/{model}". */
export const modelName = (id: string): string => `models/${id}`;
/** "models/{model}/versions/{version}". */
export const versionName = (model: string, version: string): string => `models/${model}/versions/${version}`;
/** "models/{model}@{alias}". */
export const aliasName = (model: string, alias: string): string => `models/${model}@${alias}`;
/** "evaluations/{evaluation}". */
export const evaluationName = (id: string): string => `evaluations/${id}`;

/** "crossValidations/{cross_validation}". */
export const crossValidationName = (id: string): string => `crossValidations/${id}`;

/** "projections/{projection}". */
export const projectionName = (id: string): string => `projections/${id}`;

/** The id in "jobs/{job}". @throws {ResourceNameError} */
export function parseJobName(name: string, field = "name"): string {
  return one(JOB_PATTERN, name, field, '"jobs/{job}"');
}

/** The id in "datasets/{dataset}". @throws {ResourceNameError} */
export function parseDatasetName(name: string, field = "name"): string {
  return one(DATASET_PATTERN, name, field, '"datasets/{dataset}"');
}

/** The id in "datasetUploads/{dataset}". @throws {ResourceNameError} */
export function parseDatasetUploadName(name: string, field = "name"): string {
  return one(DATASET_UPLOAD_PATTERN, name, field, '"datasetUploads/{dataset}"');
}

/** The id in "models/{model}". @throws {ResourceNameError} */
export function parseModelName(name: string, field = "name"): string {
  return one(MODEL_PATTERN, name, field, '"models/{model}"');
}

/** The id in "evaluations/{evaluation}". @throws {ResourceNameError} */
export function parseEvaluationName(name: string, field = "name"): string {
  return one(EVALUATION_PATTERN, name, field, '"evaluations/{evaluation}"');
}

/** The id in "crossValidations/{cross_validation}". @throws {ResourceNameError} */
export function parseCrossValidationName(name: string, field = "name"): string {
  return one(CROSS_VALIDATION_PATTERN, name, field, '"crossValidations/{cross_validation}"');
}

/** The id in "projections/{projection}". @throws {ResourceNameError} */
export function parseProjectionName(name: string, field = "name"): string {
  return one(PROJECTION_PATTERN, name, field, '"projections/{projection}"');
}

/** The parts of "models/{model}/versions/{version}". @throws {ResourceNameError} */
export function parseVersionName(name: string, field = "name"): { readonly model: string; readonly version: string } {
  const match = VERSION_PATTERN.exec(name);
  if (match === null) throw new ResourceNameError(field, '"models/{model}/versions/{version}"', name);
  return { model: match[1]!, version: match[2]! };
}

/** The parts of "models/{model}@{alias}". @throws {ResourceNameError} */
export function parseAliasName(name: string, field = "name"): { readonly model: string; readonly alias: AliasName } {
  const match = ALIAS_PATTERN.exec(name);
  if (match === null) throw new ResourceNameError(field, '"models/{model}@live" or "models/{model}@canary"', name);
  return { model: match[1]!, alias: match[2] as AliasName };
}

/** A version by its number or an alias. @throws {ResourceNameError} when it is neither */
export function parseModelReference(name: string, field = "name"): ModelReference {
  if (VERSION_PATTERN.test(name)) return parseVersionName(name, field);
  if (ALIAS_PATTERN.test(name)) return parseAliasName(name, field);
  throw new ResourceNameError(
    field,
    '"models/{model}/versions/{version}", "models/{model}@live" or "models/{model}@canary"',
    name,
  );
}

function one(pattern: RegExp, name: string, field: string, expected: string): string {
  const match = pattern.exec(name);
  if (match === null) throw new ResourceNameError(field, expected, name);
  return match[1]!;
}
