import { jobName, parseEvaluationName, parseJobName } from "@duchenne/control";
import { type CrossValidationRun, crossValidate } from "@duchenne/evaluation";
import type { EvaluationRecord, JobRecord, JsonObject, Store } from "@duchenne/store";
import { z } from "zod";
import { scoredRecord } from "../comparison/scored-evaluation.ts";
import { evaluationSpecSchema } from "../evaluation-spec.ts";
import type { CrossValidationSpec } from "./cross-validation-spec.ts";
import type { StoredCrossValidation } from "./stored-cross-validation.ts";

/** Thrown when a training or an evaluation of a cross-validation has not succeeded. */
export class CrossValidationIncompleteError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "CROSS_VALIDATION_INCOMPLETE";

  constructor(children: readonly JobRecord[]) {
    const missing = children.filter(({ state }) => state !== "SUCCEEDED");
    // What only waited for one that failed says nothing more.
    const causes = missing.filter(({ error }) => error?.reason !== "DEPENDENCY_FAILED");
    const told = (causes.length > 0 ? causes : missing).map(
      ({ id, displayName, state, error }) =>
        `${displayName} (${jobName(id)}) is ${state}${error === undefined ? "" : ` (${error.reason}): ${error.message}`}`,
    );
    const more = told.length > MAX_TOLD ? `; and ${told.length - MAX_TOLD} more` : "";
    super(
      `Expected ${children.length} trainings and evaluations to succeed, ${missing.length} did not. ${told.slice(0, MAX_TOLD).join("; ")}${more}. A retry tries what failed again and keeps the others`,
    );
    this.name = "CrossValidationIncompleteError";
  }
}

/** Children whose errors are told. */
const MAX_TOLD = 5;

const trainingSchema = z.object({
  recipe: z.object({ split: z.object({ fold: z.int() }), optimization: z.object({ seed: z.int() }) }),
});
const evaluatedSchema = z.object({ evaluation: z.string() });

/** A run, and where it comes from. */
interface Source extends CrossValidationRun {
  /** "jobs/{job}". */
  readonly training: string;
  /** "evaluations/{evaluation}". */
  readonly evaluation: string;
  readonly record: EvaluationRecord;
  readonly datasetDigest: string;
}

/**
 * Combines what the children of a cross-validation found.
 *
 * @throws {CrossValidationIncompleteError} when one of them has not succeeded
 */
export async function combineRuns(
  store: Store,
  children: readonly JobRecord[],
  { evaluation: { seed, resamples } }: CrossValidationSpec,
): Promise<JsonObject> {
  if (children.some(({ state }) => state !== "SUCCEEDED")) throw new CrossValidationIncompleteError(children);
  const trainings = new Map(children.map((child) => [child.id, child]));
  const runs: Source[] = [];
  for (const child of children) {
    if (child.kind !== "evaluation") continue;
    const training = evaluationSpecSchema.parse(child.spec).training!;
    const { recipe } = trainingSchema.parse(trainings.get(parseJobName(training))!.spec);
    const { evaluation } = evaluatedSchema.parse(child.result);
    const scored = await scoredRecord(store, await store.evaluations.get(parseEvaluationName(evaluation)));
    if (scored.answers !== "action_units") throw new TypeError(`Expected ${evaluation} to be of a detector`);
    runs.push({ fold: recipe.split.fold, seed: recipe.optimization.seed, training, evaluation, ...scored });
  }
  const report = crossValidate(runs, { seed, resamples });
  const stored: StoredCrossValidation = {
    ...report,
    datasetDigest: runs[0]!.datasetDigest,
    runs: report.runs.map((figures) => {
      const { training, evaluation, record } = runs.find(
        (run) => run.fold === figures.fold && run.seed === figures.seed,
      )!;
      return { ...figures, training, evaluation, modelVersion: record.modelVersion };
    }),
  };
  return stored as unknown as JsonObject;
}
