import { randomUUID } from "node:crypto";
import { datasetRead, jobName, newJobOptions } from "@duchenne/control";
import { type CheckedRun, type CheckedRuns, checkFineTuneRuns, versionsRead } from "@duchenne/control/trainings";
import type { CreateCrossValidationRequest } from "@duchenne/proto";
import type { JsonObject, NewChild, NewJob, Store } from "@duchenne/store";
import type { EvaluationSpec } from "../evaluation-spec.ts";
import { NoSubjectsError } from "../no-subjects-error.ts";
import { DEFAULT_RESAMPLES } from "../resamples.ts";
import type { CrossValidationSpec } from "./cross-validation-spec.ts";

/** A checked cross-validation: its job with the trainings and evaluations that are parts of it. */
export interface CrossValidationPlan {
  readonly job: Pick<NewJob, "spec" | "displayName" | "children">;
  /** One of its trainings. */
  readonly training: CheckedRun;
}

/**
 * Plans a cross-validation: a training for each fold and seed, and an evaluation that waits for it.
 *
 * @throws {RecipeError} with every field violation of every fold and seed @throws {NotFoundError}
 */
export async function planCrossValidation(
  store: Store,
  request: CreateCrossValidationRequest,
  { maxFailures }: { readonly maxFailures: number },
): Promise<CrossValidationPlan> {
  const seeds = request.seeds.length === 0 ? [0] : request.seeds.map(Number);
  const fineTune = request.fineTune!;
  const checked = await checkFineTuneRuns(store, fineTune, seeds);
  const { dataset, model } = fineTune;
  if (request.identityLeakage && checked.dataset.subjects.length === 0) {
    throw new NoSubjectsError("identity_leakage", "measure identity leakage on", dataset);
  }
  const { priority = 0, ...options } = request.jobOptions === undefined ? {} : newJobOptions(request.jobOptions);
  const { timeLimitMs, after = [], resources = {} } = options;
  const { evaluationResources } = request;
  const evaluation = {
    identityLeakage: request.identityLeakage,
    seed: Number(request.bootstrapSeed ?? 0n),
    resamples: request.bootstrapResamples || DEFAULT_RESAMPLES,
  };
  const shared = { priority, maxFailures };
  const children = checked.runs.flatMap((run): NewChild[] => {
    const training = randomUUID();
    const place = `Fold ${run.fold}, seed ${run.seed}`;
    const spec: EvaluationSpec = { training: jobName(training), dataset, split: "held_out", ...evaluation };
    return [
      {
        ...shared,
        id: training,
        kind: run.kind,
        spec: run.spec,
        displayName: `${place}: training`,
        timeLimitMs,
        after,
        resources,
        modelVersions: versionsRead(run.spec),
        datasets: run.datasets,
      },
      {
        ...shared,
        id: randomUUID(),
        kind: "evaluation",
        spec: spec as JsonObject,
        displayName: `${place}: evaluation`,
        datasets: [datasetRead(dataset, checked.dataset)],
        after: [training],
        resources: evaluationResources,
      },
    ];
  });
  const { folds, runs } = checked;
  const spec: CrossValidationSpec = {
    dataset,
    model,
    recipe: sharedRecipe(checked),
    folds,
    seeds,
    evaluation,
    jobOptions: {
      ...(timeLimitMs !== undefined && { timeLimitMs }),
      after: [...after],
      resources: { ...resources },
      evaluationResources: { ...evaluationResources },
    },
  };
  const displayName =
    request.displayName || `Cross-validation of ${model} on ${dataset}, ${folds} folds x ${seeds.length} seeds`;
  return { job: { spec: spec as JsonObject, displayName, children }, training: runs[0]! };
}

/** The recipe of every run, without what differs. */
function sharedRecipe({ runs }: CheckedRuns): CrossValidationSpec["recipe"] {
  const { split, optimization, ...recipe } = runs[0]!.spec.recipe as Readonly<Record<string, JsonObject>>;
  const { fold: _fold, ...parts } = split!;
  const { seed: _seed, ...updates } = optimization!;
  return { ...recipe, split: parts, optimization: updates } as CrossValidationSpec["recipe"];
}
