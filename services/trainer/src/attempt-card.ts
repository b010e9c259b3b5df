import type { Dataset } from "@duchenne/data";
import { inheritedLicenses, type ModelCard, type ModelConfig, UNKNOWN_LICENSE } from "@duchenne/model";
import type { TrainedModel } from "@duchenne/training";
import { isOfficial, type Parts, type SplitRecipe, subjectNames } from "@duchenne/training/recipes";
import type { SourceVersion } from "./read-weights.ts";

/** What a training made, and what is to be said of it. */
export interface Publication {
  readonly job: { readonly id: string; readonly attempt: number };
  readonly spec: {
    readonly dataset: string;
    readonly model: string;
    readonly recipe: { readonly split?: SplitRecipe | undefined };
  };
  /** What it started from. */
  readonly initial?: SourceVersion | undefined;
  /** What it learned from. */
  readonly teacher?: SourceVersion | undefined;
  readonly dataset: Dataset;
  readonly parts: Parts;
  /** A detector's with its thresholds, in the order of its action units; undefined where the convention holds. */
  readonly result: TrainedModel<ModelCard["config"]> & { readonly thresholds?: readonly (number | undefined)[] };
  readonly description: string;
  readonly intendedUse: string;
}

/** The card of what a training made: enough to judge it and to make it again. */
export function trainedCard(publication: Publication): ModelCard {
  const { job, spec, initial, teacher, dataset, parts, result, description, intendedUse } = publication;
  const trainSubjects = subjectNames(dataset, parts.train);
  const ownValidation = parts.validation === parts.test ? new Uint32Array() : parts.validation;
  const validationSubjects = subjectNames(dataset, ownValidation);
  const { config } = result;
  const { split } = spec.recipe;
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
      isOfficial: split !== undefined && isOfficial(split),
      ...(split?.fold !== undefined && {
        fold: { tested: split.fold, of: split.folds ?? dataset.folds?.length ?? 0 },
      }),
      trainSubjects,
      validationSubjects,
      testSubjects: subjectNames(dataset, parts.test),
    },
    recipe: JSON.parse(JSON.stringify(spec.recipe)) as ModelCard["recipe"],
    boxConvention: dataset.boxConvention,
    thresholds: config.kind === "vit" ? thresholdsOf(config, result.thresholds ?? [], validationSubjects.length) : [],
    metrics: { ...result.metrics },
    licenses: [
      { source: spec.dataset, digest: dataset.digest, license: dataset.license ?? UNKNOWN_LICENSE },
      ...[initial, teacher].flatMap((source) =>
        source === undefined ? [] : inheritedLicenses(source.card, source.name),
      ),
    ],
    intendedUse,
    limitations: `Trained on ${parts.train.length} frames of ${trainSubjects.length} subjects of one data set; not validated on others. No FACS certification.`,
    lineage: {
      job: job.id,
      attempt: job.attempt,
      ...(initial !== undefined && { initialModelVersion: initial.name, initialModelDigest: initial.digest }),
      ...(teacher !== undefined && { teacherModelVersion: teacher.name, teacherModelDigest: teacher.digest }),
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
