// The process of one training attempt: the only place of the services that loads TensorFlow.
import { openRegisteredDataset } from "@duchenne/control";
import { type AttemptHandler, type AttemptTools, runAttempt } from "@duchenne/jobs";
import type { SourceWeights } from "@duchenne/model";
import { withSpan } from "@duchenne/rpc/telemetry";
import { loadTensorFlow } from "@duchenne/tensor";
import { distil, fineTune, fineTuneExpression, linearProbe, pretrain } from "@duchenne/training";
import {
  type Parts,
  planDistil,
  planExpression,
  planFineTune,
  planLinearProbe,
  planPretrain,
} from "@duchenne/training/recipes";
import { publish } from "./attempt-publish.ts";
import { report } from "./attempt-report.ts";
import type { TrainingKind } from "./check-training.ts";
import {
  distilSpecSchema,
  expressionSpecSchema,
  fineTuneSpecSchema,
  linearProbeSpecSchema,
  pretrainSpecSchema,
} from "./job-specs.ts";
import { readWeights } from "./model-version.ts";

/** What a training attempt works on. */
async function prepare(
  { store, signal, loadCheckpoint }: AttemptTools,
  { dataset: name, recipe }: { readonly dataset: string; readonly recipe: object },
) {
  const dataset = await withSpan("open dataset", {}, () => openRegisteredDataset(store, name, { check: true }));
  const encoder = "encoder" in recipe ? (recipe.encoder as { readonly initialModelVersion?: string | undefined }) : {};
  const initialName = encoder.initialModelVersion;
  const version = initialName === undefined ? undefined : await readWeights(store, initialName);
  const initial: SourceWeights | undefined = version && { config: version.card.config, parameters: version.parameters };
  const tf = await withSpan("load TensorFlow", {}, () => loadTensorFlow());
  return { dataset, initial, tf, signal, checkpoint: await loadCheckpoint() };
}

const runFineTune: AttemptHandler = async (job, tools) => {
  const spec = fineTuneSpecSchema.parse(job.spec);
  const options = await prepare(tools, spec);
  const plan = planFineTune(spec.recipe, options.dataset, options.initial?.config);
  const result = await report(fineTune({ ...options, plan }), tools);
  const { lambda, encoder } = spec.recipe;
  const adversarial = lambda === 0 ? "without identity adversarial training" : `with lambda ${lambda}`;
  return publish(tools, {
    job,
    spec,
    dataset: options.dataset,
    parts: plan.parts,
    result,
    description: `ViT-${encoder.variant} fine-tuned ${adversarial} on ${options.dataset.name}. Scores are probabilities, no intensities.`,
    intendedUse: "Occurrence of action units in faces like those of its training data.",
  });
};

const runDistil: AttemptHandler = async (job, tools) => {
  const spec = distilSpecSchema.parse(job.spec);
  const options = await prepare(tools, spec);
  const { card, parameters } = await readWeights(tools.store, spec.teacherModelVersion);
  if (card.config.kind !== "vit") throw new TypeError(`Expected a detector, ${spec.teacherModelVersion} is none`);
  const plan = planDistil(spec.recipe, options.dataset, card.config, options.initial?.config);
  const teacher = { config: card.config, parameters };
  const result = await report(distil({ ...options, plan, teacher }), tools);
  return publish(tools, {
    job,
    spec,
    dataset: options.dataset,
    parts: plan.parts,
    result,
    description: `ViT-${spec.recipe.encoder.variant} distilled from ${spec.teacherModelVersion} on ${options.dataset.name}. Scores are probabilities, no intensities.`,
    intendedUse: "Occurrence of action units in faces like those of its training data, where its teacher is too slow.",
  });
};

const runPretrain: AttemptHandler = async (job, tools) => {
  const spec = pretrainSpecSchema.parse(job.spec);
  const options = await prepare(tools, spec);
  const plan = planPretrain(spec.recipe, options.dataset, options.initial?.config);
  const result = await report(pretrain({ ...options, plan }), tools);
  const none = new Uint32Array();
  const parts: Parts = { train: plan.train, validation: none, test: none };
  return publish(tools, {
    job,
    spec,
    dataset: options.dataset,
    parts,
    result,
    description: `ViT-${spec.recipe.encoder.variant} pretrained as a masked autoencoder on ${options.dataset.name}. It answers no scores.`,
    intendedUse: "To start fine-tunes from.",
  });
};

const runFineTuneExpression: AttemptHandler = async (job, tools) => {
  const spec = expressionSpecSchema.parse(job.spec);
  const options = await prepare(tools, spec);
  const plan = planExpression(spec.recipe, options.dataset, options.initial?.config);
  const result = await report(fineTuneExpression({ ...options, plan }), tools);
  return publish(tools, {
    job,
    spec,
    dataset: options.dataset,
    parts: plan.parts,
    result,
    description: `ViT-${spec.recipe.encoder.variant} fine-tuned on the expressions of ${options.dataset.name}.`,
    intendedUse: "The expression class of faces like those of its training data. It does not read what a person feels.",
  });
};

const runLinearProbe: AttemptHandler = async (job, tools) => {
  const spec = linearProbeSpecSchema.parse(job.spec);
  const options = await prepare(tools, spec);
  const { card, parameters } = await readWeights(tools.store, spec.modelVersion);
  if (card.config.kind === "mae") throw new TypeError(`Expected pooled features, ${spec.modelVersion} has none`);
  const plan = planLinearProbe(spec.recipe, options.dataset);
  const model = { config: card.config, parameters };
  return { ...(await report(linearProbe({ ...options, plan, model }), tools)) };
};

const handlers: Record<TrainingKind, AttemptHandler> = {
  fine_tune: runFineTune,
  linear_probe: runLinearProbe,
  pretrain: runPretrain,
  fine_tune_expression: runFineTuneExpression,
  distil: runDistil,
};
await runAttempt(handlers);
