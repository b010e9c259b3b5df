import type { Dataset } from "@duchenne/data";
import type { EncoderShape } from "@duchenne/model";
import {
  type CreateTrainingJobRequest,
  type Distil,
  DistilSchema,
  type FineTune,
  type FineTuneExpression,
  FineTuneExpressionSchema,
  FineTuneSchema,
  type LinearProbe,
  LinearProbeSchema,
  type Pretrain,
  PretrainSchema,
} from "@duchenne/proto";
import type { DatasetRead, JsonObject, Store } from "@duchenne/store";
import {
  type Partially,
  planDistil,
  planExpression,
  planFineTune,
  planLinearProbe,
  planPretrain,
} from "@duchenne/training/recipes";
import { BuiltInModelError } from "../built-in-model-error.ts";
import { BUILT_IN_MODEL } from "../describe-version.ts";
import { datasetRead, openRegisteredLabels } from "../open-registered-dataset.ts";
import { parseModelName } from "../resource-name.ts";
import { type TrainedVersion, trainedVersion, WrongModelKindError } from "./trained-version.ts";
import { fieldName, setFields, type TrainingCase, withFieldNames } from "./training-fields.ts";

/** The kinds of training jobs. */
export type TrainingKind = "fine_tune" | "linear_probe" | "pretrain" | "fine_tune_expression" | "distil";

/** A checked training: the kind of its job, and what the job is made from, its recipe complete. */
export interface CheckedTraining {
  readonly kind: TrainingKind;
  readonly spec: JsonObject;
  readonly displayName: string;
  /** What it reads. */
  readonly datasets: readonly DatasetRead[];
}

/**
 * Checks a training against the data set and the versions that it names.
 *
 * @throws {RecipeError} with every field violation @throws {SplitError} @throws {NotFoundError}
 * @throws {BuiltInModelError} @throws {WrongModelKindError} @throws {NoFloatWeightsError}
 */
export function checkTraining(store: Store, training: CreateTrainingJobRequest["training"]): Promise<CheckedTraining> {
  switch (training.case) {
    case "fineTune":
      return checkFineTune(store, training.value);
    case "linearProbe":
      return checkLinearProbe(store, training.value);
    case "pretrain":
      return checkPretrain(store, training.value);
    case "fineTuneExpression":
      return checkFineTuneExpression(store, training.value);
    case "distil":
      return checkDistil(store, training.value);
    case undefined:
      // The rules of the protos refuse it before.
      throw new TypeError("Expected a training, got none");
  }
}

async function checkFineTune(store: Store, message: FineTune): Promise<CheckedTraining> {
  const context = await openTraining(store, "fineTune", message);
  return plannedFineTune(context, message, setFields(FineTuneSchema, message));
}

/** Plans a fine-tune of what was opened. @param fields of the message, or of one like it @throws {RecipeError} */
export function plannedFineTune(
  context: TrainingContext,
  message: FineTune,
  fields: Parameters<typeof planFineTune>[0],
): CheckedTraining {
  const { recipe } = plan(context, fields, planFineTune);
  const { encoder, lambda } = recipe;
  const datasets = [datasetRead(message.dataset, context.dataset)];
  const displayName = `Fine-tune of ${encoder.variant}, lambda ${lambda}, on ${message.dataset}`;
  return { kind: "fine_tune", spec: specOf(message, recipe), displayName, datasets };
}

async function checkPretrain(store: Store, message: Pretrain): Promise<CheckedTraining> {
  const context = await openTraining(store, "pretrain", message);
  const { recipe } = plan(context, setFields(PretrainSchema, message), planPretrain);
  const displayName = `Pretraining of ${recipe.encoder.variant} on ${message.dataset}`;
  const datasets = [datasetRead(message.dataset, context.dataset)];
  return { kind: "pretrain", spec: specOf(message, recipe), displayName, datasets };
}

async function checkFineTuneExpression(store: Store, message: FineTuneExpression): Promise<CheckedTraining> {
  const context = await openTraining(store, "fineTuneExpression", message);
  const { recipe } = plan(context, setFields(FineTuneExpressionSchema, message), planExpression);
  const displayName = `Expression fine-tune of ${recipe.encoder.variant} on ${message.dataset}`;
  const datasets = [datasetRead(message.dataset, context.dataset)];
  return { kind: "fine_tune_expression", spec: specOf(message, recipe), displayName, datasets };
}

async function checkDistil(store: Store, message: Distil): Promise<CheckedTraining> {
  const context = await openTraining(store, "distil", message);
  const field = fieldName("distil", "teacherModelVersion");
  const teacher = await trainedVersion(store, message.teacherModelVersion, field);
  const { config } = teacher.card;
  if (config.kind !== "vit") {
    throw new WrongModelKindError(field, "an action unit detector", teacher.name, config.kind);
  }
  const { recipe } = plan(
    context,
    setFields(DistilSchema, message),
    (value: Parameters<typeof planDistil>[0], dataset, initial) => planDistil(value, dataset, config, initial),
  );
  const spec = { ...specOf(message, recipe), teacherModelVersion: teacher.name };
  const displayName = `Distillation of ${teacher.name} into ${recipe.encoder.variant} on ${message.dataset}`;
  return { kind: "distil", spec, displayName, datasets: [datasetRead(message.dataset, context.dataset)] };
}

async function checkLinearProbe(store: Store, message: LinearProbe): Promise<CheckedTraining> {
  const field = fieldName("linearProbe", "modelVersion");
  const { name, card } = await trainedVersion(store, message.modelVersion, field);
  if (card.config.kind === "mae") {
    throw new WrongModelKindError(field, "a detector or a classifier", name, card.config.kind);
  }
  const dataset = await openRegisteredLabels(store, message.dataset, fieldName("linearProbe", "dataset"));
  const { recipe } = withFieldNames("linearProbe", () =>
    planLinearProbe(setFields(LinearProbeSchema, message), dataset),
  );
  return {
    kind: "linear_probe",
    spec: { dataset: message.dataset, modelVersion: name, recipe: jsonFrom(recipe) },
    displayName: `Identity probe of ${name} on ${message.dataset}`,
    datasets: [datasetRead(message.dataset, dataset)],
  };
}

/** What a training that makes a model is checked against. */
export interface TrainingContext {
  readonly training: TrainingCase;
  readonly dataset: Dataset;
  readonly initial: TrainedVersion | undefined;
}

/** Opens what a training that makes a model is checked against. @throws as `checkTraining` */
export async function openTraining(
  store: Store,
  training: TrainingCase,
  message: FineTune | Pretrain | FineTuneExpression | Distil,
): Promise<TrainingContext> {
  const field = (name: string) => fieldName(training, name);
  if (parseModelName(message.model, field("model")) === BUILT_IN_MODEL) throw new BuiltInModelError(field("model"));
  const dataset = await openRegisteredLabels(store, message.dataset, field("dataset"));
  const reference = message.encoder?.initialModelVersion ?? "";
  const initial =
    reference === "" ? undefined : await trainedVersion(store, reference, field("encoder.initialModelVersion"));
  return { training, dataset, initial };
}

/** Plans with an alias of the initial version replaced by what it stands for today. */
function plan<V extends { readonly encoder?: Partially<{ initialModelVersion: string }> | undefined }, P>(
  { training, dataset, initial }: TrainingContext,
  fields: V,
  planWith: (value: V, dataset: Dataset, initial?: EncoderShape) => P,
): P {
  const value =
    initial === undefined ? fields : { ...fields, encoder: { ...fields.encoder, initialModelVersion: initial.name } };
  return withFieldNames(training, () => planWith(value, dataset, initial?.card.config));
}

function specOf({ dataset, model }: { readonly dataset: string; readonly model: string }, recipe: object): JsonObject {
  return { dataset, model, recipe: jsonFrom(recipe) };
}

/** A recipe as it is stored. */
function jsonFrom(recipe: object): JsonObject {
  return JSON.parse(JSON.stringify(recipe)) as JsonObject;
}
