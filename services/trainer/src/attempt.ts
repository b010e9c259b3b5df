// The process of one training attempt: the only place of the services that loads TensorFlow.
import { openRegisteredDataset, tellOfCopy } from "@duchenne/control";
import { checkPrecision, type TrainingKind } from "@duchenne/control/trainings";
import { type AttemptHandler, type AttemptJob, type AttemptTools, runAttempt } from "@duchenne/jobs";
import { withSpan } from "@duchenne/rpc/telemetry";
import type { Store } from "@duchenne/store";
import { loadTensorFlow } from "@duchenne/tensor";
import { distil, fineTune, fineTuneExpression, linearProbe, pretrain, type TrainingEvent } from "@duchenne/training";
import { planDistil, planExpression, planFineTune, planLinearProbe, planPretrain } from "@duchenne/training/recipes";
import type { z } from "zod";
import type { Publication } from "./attempt-card.ts";
import { publish } from "./attempt-publish.ts";
import { report } from "./attempt-report.ts";
import {
  distilSpecSchema,
  expressionSpecSchema,
  fineTuneSpecSchema,
  linearProbeSpecSchema,
  pretrainSpecSchema,
} from "./job-specs.ts";
import { readWeights, type VersionWeights } from "./read-weights.ts";

/** What every training works on. @throws {RecipeError} when this machine cannot compute in what it asks for */
async function prepare(job: AttemptJob, { store, signal, emit, loadCheckpoint }: AttemptTools, name: string) {
  checkPrecision(job);
  const dataset = await withSpan("open dataset", {}, () =>
    openRegisteredDataset(store, name, { signal, onCopy: tellOfCopy(emit, name) }),
  );
  const tf = await withSpan("load TensorFlow", {}, () => loadTensorFlow());
  return { dataset, tf, signal, checkpoint: await loadCheckpoint() };
}

/** What a training that makes a model works on. */
type Prepared = Awaited<ReturnType<typeof prepare>> & {
  readonly store: Store;
  /** What it starts from. */
  readonly initial: VersionWeights | undefined;
};

/** A training that makes a model, and what is to be said of the model. */
interface ModelTraining extends Pick<Publication, "teacher" | "parts" | "description" | "intendedUse"> {
  readonly events: AsyncGenerator<TrainingEvent, Publication["result"], undefined>;
}

interface EncoderSpec {
  readonly recipe: { readonly encoder: { readonly initialModelVersion?: string | undefined } };
}

/** Runs a training and publishes what it made. @param start plans it */
function makesModel<S extends Publication["spec"] & EncoderSpec>(
  specSchema: z.ZodType<S>,
  start: (spec: S, prepared: Prepared) => ModelTraining | Promise<ModelTraining>,
): AttemptHandler {
  return async (job, tools) => {
    const { store } = tools;
    const spec = specSchema.parse(job.spec);
    const { initialModelVersion } = spec.recipe.encoder;
    const initial = initialModelVersion === undefined ? undefined : await readWeights(store, initialModelVersion);
    const prepared = { ...(await prepare(job, tools, spec.dataset)), store, initial };
    const { events, ...publication } = await start(spec, prepared);
    const result = await report(events, tools);
    const { dataset } = prepared;
    return publish(tools, { job, spec, dataset, initial: initial?.version, result, ...publication });
  };
}

const runFineTune = makesModel(fineTuneSpecSchema, ({ recipe }, prepared) => {
  const { dataset, initial } = prepared;
  const plan = planFineTune(recipe, dataset, initial?.config);
  const adversarial = recipe.lambda === 0 ? "without identity adversarial training" : `with lambda ${recipe.lambda}`;
  return {
    events: fineTune({ ...prepared, plan }),
    parts: plan.parts,
    description: `ViT-${recipe.encoder.variant} fine-tuned ${adversarial} on ${dataset.name}. Scores are probabilities, no intensities.`,
    intendedUse: "Occurrence of action units in faces like those of its training data.",
  };
});

const runDistil = makesModel(distilSpecSchema, async ({ recipe, teacherModelVersion }, prepared) => {
  const { store, dataset, initial } = prepared;
  const { config, parameters, version: teacher } = await readWeights(store, teacherModelVersion);
  if (config.kind !== "vit") throw new TypeError(`Expected a detector, ${teacherModelVersion} is none`);
  const plan = planDistil(recipe, dataset, config, initial?.config);
  return {
    events: distil({ ...prepared, plan, teacher: { config, parameters } }),
    teacher,
    parts: plan.parts,
    description: `ViT-${recipe.encoder.variant} distilled from ${teacherModelVersion} on ${dataset.name}. Scores are probabilities, no intensities.`,
    intendedUse: "Occurrence of action units in faces like those of its training data, where its teacher is too slow.",
  };
});

const runPretrain = makesModel(pretrainSpecSchema, ({ recipe }, prepared) => {
  const { dataset, initial } = prepared;
  const plan = planPretrain(recipe, dataset, initial?.config);
  const none = new Uint32Array();
  return {
    events: pretrain({ ...prepared, plan }),
    parts: { train: plan.train, validation: none, test: none },
    description: `ViT-${recipe.encoder.variant} pretrained as a masked autoencoder on ${dataset.name}. It answers no scores.`,
    intendedUse: "To start fine-tunes from.",
  };
});

const runFineTuneExpression = makesModel(expressionSpecSchema, ({ recipe }, prepared) => {
  const { dataset, initial } = prepared;
  const plan = planExpression(recipe, dataset, initial?.config);
  return {
    events: fineTuneExpression({ ...prepared, plan }),
    parts: plan.parts,
    description: `ViT-${recipe.encoder.variant} fine-tuned on the expressions of ${dataset.name}.`,
    intendedUse: "The expression class of faces like those of its training data. It does not read what a person feels.",
  };
});

const runLinearProbe: AttemptHandler = async (job, tools) => {
  const { dataset, modelVersion, recipe } = linearProbeSpecSchema.parse(job.spec);
  const { config, parameters } = await readWeights(tools.store, modelVersion);
  if (config.kind === "mae") throw new TypeError(`Expected pooled features, ${modelVersion} has none`);
  const prepared = await prepare(job, tools, dataset);
  const plan = planLinearProbe(recipe, prepared.dataset);
  const { isRight: _, ...figures } = await report(
    linearProbe({ ...prepared, plan, model: { config, parameters } }),
    tools,
  );
  return figures;
};

const handlers: Record<TrainingKind, AttemptHandler> = {
  fine_tune: runFineTune,
  linear_probe: runLinearProbe,
  pretrain: runPretrain,
  fine_tune_expression: runFineTuneExpression,
  distil: runDistil,
};
await runAttempt(handlers);
