import { parseModelName, versionName } from "@duchenne/control";
import type { Dataset } from "@duchenne/data";
import type { AttemptTools } from "@duchenne/jobs";
import { exportOnnx, type ModelCard, type ModelConfig, writeSafetensors } from "@duchenne/model";
import { withSpan } from "@duchenne/rpc/telemetry";
import type { JsonObject, ModelArtifact } from "@duchenne/store";
import type { TrainedModel } from "@duchenne/training";
import { isOfficial, type Parts, type SplitRecipe, subjectNames } from "@duchenne/training/recipes";

/** What a training made, and what is to be said of it. */
export interface Publication {
  readonly job: { readonly id: string; readonly attempt: number };
  readonly spec: {
    readonly dataset: string;
    readonly model: string;
    readonly recipe: {
      readonly encoder: { readonly initialModelVersion?: string | undefined };
      readonly split?: SplitRecipe | undefined;
    };
    readonly teacherModelVersion?: string;
  };
  readonly dataset: Dataset;
  readonly parts: Parts;
  /** A detector's with its thresholds, in the order of its action units; undefined where the convention holds. */
  readonly result: TrainedModel<ModelCard["config"]> & { readonly thresholds?: readonly (number | undefined)[] };
  readonly description: string;
  readonly intendedUse: string;
}

/**
 * Stores what a training made as a version of its model, whole or not at all.
 *
 * @throws {FencedError} when another attempt has taken over @throws {DiskFullError}
 */
export function publish(tools: AttemptTools, publication: Publication): Promise<{ readonly modelVersion: string }> {
  const { job, spec, result } = publication;
  return withSpan("publish", {}, async () => {
    const card = cardFor(publication);
    const artifacts = await storeArtifacts(result, card, tools);
    const model = parseModelName(spec.model);
    const version = await tools.store.models.createVersion({ model, card: card as JsonObject, artifacts, job });
    const name = versionName(version.model, version.version);
    tools.emit({ kind: "artifact", name, artifactKind: "model_version" });
    return { modelVersion: name };
  });
}

/** One after the other: when one finds no room, none is left half written. An autoencoder, which is not served, has no ONNX. */
async function storeArtifacts(
  { config, parameters }: Publication["result"],
  card: ModelCard,
  { store }: AttemptTools,
): Promise<ModelArtifact[]> {
  const files = {
    safetensors: writeSafetensors(parameters, { config: JSON.stringify(config) }),
    ...(config.kind !== "mae" && { onnx: exportOnnx(config, parameters) }),
    card: Buffer.from(`${JSON.stringify(card, null, 2)}\n`),
  };
  const artifacts: ModelArtifact[] = [];
  for (const [role, bytes] of Object.entries(files)) artifacts.push({ role, ...(await store.blobs.put(bytes)) });
  return artifacts;
}

function cardFor({ job, spec, dataset, parts, result, description, intendedUse }: Publication): ModelCard {
  const trainSubjects = subjectNames(dataset, parts.train);
  const ownValidation = parts.validation === parts.test ? new Uint32Array() : parts.validation;
  const validationSubjects = subjectNames(dataset, ownValidation);
  const { initialModelVersion } = spec.recipe.encoder;
  const { config } = result;
  return {
    model: spec.model,
    description,
    config,
    dataset: {
      name: spec.dataset,
      description: dataset.description,
      digest: dataset.digest,
      subjects: dataset.subjects.length,
      frames: dataset.samples.length,
    },
    split: {
      isOfficial: spec.recipe.split !== undefined && isOfficial(spec.recipe.split),
      trainSubjects,
      validationSubjects,
      testSubjects: subjectNames(dataset, parts.test),
    },
    recipe: JSON.parse(JSON.stringify(spec.recipe)) as ModelCard["recipe"],
    boxConvention: dataset.boxConvention,
    thresholds: config.kind === "vit" ? thresholdsOf(config, result.thresholds ?? [], validationSubjects.length) : [],
    metrics: { ...result.metrics },
    intendedUse,
    limitations: `Trained on ${parts.train.length} frames of ${trainSubjects.length} subjects of one data set; not validated on others. No FACS certification.`,
    lineage: {
      job: job.id,
      attempt: job.attempt,
      ...(initialModelVersion !== undefined && { initialModelVersion }),
      ...(spec.teacherModelVersion !== undefined && { teacherModelVersion: spec.teacherModelVersion }),
    },
  };
}

function thresholdsOf(
  { actionUnits }: ModelConfig,
  thresholds: readonly (number | undefined)[],
  validationSubjects: number,
): ModelCard["thresholds"] {
  return actionUnits.map((actionUnit, i) => {
    const threshold = thresholds[i];
    return threshold === undefined
      ? { actionUnit, threshold: 0.5, origin: "convention", note: "0.5 on the probability, as F1 is reported." }
      : {
          actionUnit,
          threshold,
          origin: "validation",
          note: `Largest F1 on ${validationSubjects} validation subjects.`,
        };
  });
}
