// The process of one training attempt: the only place of the services that loads TensorFlow.
import {
  BUILT_IN_MODEL,
  detectorCardOf,
  openRegisteredDataset,
  parseModelName,
  parseVersionName,
  versionName,
} from "@duchenne/control";
import type { Dataset } from "@duchenne/data";
import { type AttemptHandler, type AttemptTools, runAttempt } from "@duchenne/jobs";
import { exportOnnx, type ModelCard, readSafetensors, writeSafetensors } from "@duchenne/model";
import { withSpan } from "@duchenne/rpc/telemetry";
import type { JsonObject, ModelArtifact } from "@duchenne/store";
import { loadTensorFlow } from "@duchenne/tensor";
import { type FineTuneResult, fineTune, linearProbe, type TrainingEvent } from "@duchenne/training";
import { type FineTunePlan, planFineTune, planLinearProbe } from "@duchenne/training/recipes";
import { createEpochSpans } from "./attempt-epoch-spans.ts";
import { fineTuneSpecSchema, linearProbeSpecSchema } from "./job-specs.ts";

const runFineTune: AttemptHandler = async (job, tools) => {
  const spec = fineTuneSpecSchema.parse(job.spec);
  const model = parseModelName(spec.model);
  const { dataset, tf } = await prepare(tools, spec.dataset);
  const plan = planFineTune(spec.recipe, dataset);
  const checkpoint = await tools.loadCheckpoint();
  const training = fineTune({ tf, dataset, plan, signal: tools.signal, checkpoint });
  const result = await report(training, tools);
  const card = cardFor({ dataset, plan, result, spec, job });
  const version = await withSpan("publish", {}, async () => {
    const artifacts = await storeArtifacts(result, card, tools);
    return tools.store.models.createVersion({ model, card: card as JsonObject, artifacts, job });
  });
  const name = versionName(version.model, version.version);
  tools.emit({ kind: "artifact", name, artifactKind: "model_version" });
  return { modelVersion: name };
};

const runLinearProbe: AttemptHandler = async (job, tools) => {
  const spec = linearProbeSpecSchema.parse(job.spec);
  const { model, version } = parseVersionName(spec.modelVersion);
  const record = await tools.store.models.getVersion(model, version);
  const weights = record.artifacts.find(({ role }) => role === "safetensors");
  if (weights === undefined)
    throw new Error(`${spec.modelVersion} has no weights; expected none but ${BUILT_IN_MODEL}`);
  const { parameters } = readSafetensors(await tools.store.blobs.get(weights.digest));
  const { dataset, tf } = await prepare(tools, spec.dataset);
  const plan = planLinearProbe(spec.recipe, dataset);
  const { config } = detectorCardOf(record);
  const result = await report(linearProbe({ tf, dataset, plan, config, parameters, signal: tools.signal }), tools);
  return { ...result };
};

async function prepare({ store }: AttemptTools, name: string) {
  const dataset = await withSpan("open dataset", {}, () => openRegisteredDataset(store, name, { check: true }));
  return { dataset, tf: await withSpan("load TensorFlow", {}, () => loadTensorFlow()) };
}

/** Passes a training's events on, and answers what it made. */
async function report<R>(training: AsyncGenerator<TrainingEvent, R, undefined>, tools: AttemptTools): Promise<R> {
  const epochs = createEpochSpans();
  try {
    for (;;) {
      const next = await training.next();
      if (next.done === true) return next.value;
      const event = next.value;
      switch (event.kind) {
        case "progress":
          epochs.reached(event.epoch);
          tools.emit({ ...event, fraction: event.step / event.totalSteps });
          break;
        case "checkpoint":
          await withSpan("checkpoint", { "duchenne.training.step": event.step }, () =>
            tools.saveCheckpoint(event.step, event.bytes),
          );
          break;
        case "metrics":
          tools.emit({ ...event, values: { ...event.values } });
          break;
        case "log":
          tools.emit(event);
      }
    }
  } finally {
    epochs.end();
  }
}

async function storeArtifacts(
  { config, parameters }: FineTuneResult,
  card: ModelCard,
  { store }: AttemptTools,
): Promise<ModelArtifact[]> {
  const files = {
    safetensors: writeSafetensors(parameters, { config: JSON.stringify(config) }),
    onnx: exportOnnx(config, parameters),
    card: Buffer.from(`${JSON.stringify(card, null, 2)}\n`),
  };
  return Promise.all(Object.entries(files).map(async ([role, bytes]) => ({ role, ...(await store.blobs.put(bytes)) })));
}

function cardFor({
  dataset,
  plan,
  result,
  spec,
  job,
}: {
  readonly dataset: Dataset;
  readonly plan: FineTunePlan;
  readonly result: FineTuneResult;
  readonly spec: { readonly dataset: string; readonly model: string };
  readonly job: { readonly id: string; readonly attempt: number };
}): ModelCard {
  const { recipe, config, trainSubjects, testSubjects } = plan;
  const adversarial = recipe.lambda === 0 ? "without identity adversarial training" : `with lambda ${recipe.lambda}`;
  return {
    model: spec.model,
    description: `ViT-${recipe.variant} fine-tuned ${adversarial} on ${dataset.name}. Scores are probabilities, no intensities.`,
    config,
    dataset: {
      name: spec.dataset,
      description: dataset.description,
      digest: dataset.digest,
      subjects: dataset.subjects.length,
      frames: dataset.samples.length,
    },
    split: { trainSubjects: [...trainSubjects], testSubjects: [...testSubjects] },
    recipe: { ...recipe },
    boxConvention: dataset.boxConvention,
    thresholds: config.actionUnits.map((actionUnit) => ({
      actionUnit,
      threshold: 0.5,
      origin: "convention",
      note: "0.5 on the probability, as F1 is reported.",
    })),
    metrics: { ...result.metrics },
    intendedUse: "Occurrence of action units in faces like those of its training data.",
    limitations: `Trained on ${trainSubjects.length} subjects of one data set; not validated on others. No FACS certification.`,
    lineage: { job: job.id, attempt: job.attempt },
  };
}

await runAttempt({ fine_tune: runFineTune, linear_probe: runLinearProbe });
