import { evaluationName, parseEvaluationName } from "@duchenne/control";
import {
  type BootstrapOptions,
  checkComparable,
  type EvaluationReport,
  type FrameScores,
  FramesDifferError,
  readFrameScores,
} from "@duchenne/evaluation";
import type { CompareEvaluationsRequest } from "@duchenne/proto";
import type { EvaluationRecord, Store } from "@duchenne/store";
import { storedReportSchema } from "../convert.ts";
import { DEFAULT_RESAMPLES } from "../resamples.ts";

/** Thrown when an evaluation says nothing about action units. */
class NoActionUnitsError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "NO_ACTION_UNITS";

  constructor(name: string, modelVersion: string) {
    super(`Expected an evaluation of an action unit detector, ${name} is of the expression classifier ${modelVersion}`);
    this.name = "NoActionUnitsError";
  }
}

/** Thrown when an evaluation did not keep what its frames scored. */
class EvaluationWithoutScoresError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "EVALUATION_WITHOUT_SCORES";

  constructor(name: string, modelVersion: string) {
    super(
      `Expected an evaluation that kept what its frames scored, ${name} was made by an earlier release; evaluate ${modelVersion} again`,
    );
    this.name = "EvaluationWithoutScoresError";
  }
}

/** An evaluation of an action unit detector with what its frames scored. */
export interface ScoredEvaluation {
  readonly name: string;
  readonly record: EvaluationRecord;
  readonly report: EvaluationReport;
  readonly split: "held_out" | "all";
  readonly datasetDigest: string;
  readonly scores: FrameScores;
}

/** @throws {NotFoundError} @throws {NoActionUnitsError} @throws {EvaluationWithoutScoresError} */
export async function scoredEvaluation(store: Store, name: string, field: string): Promise<ScoredEvaluation> {
  return scoredRecord(store, await store.evaluations.get(parseEvaluationName(name, field)));
}

/** The same of a record. @throws as `scoredEvaluation` */
export async function scoredRecord(store: Store, record: EvaluationRecord): Promise<ScoredEvaluation> {
  const name = evaluationName(record.id);
  const { split, datasetDigest, ...report } = storedReportSchema.parse(record.report);
  if ("expressions" in report) throw new NoActionUnitsError(name, record.modelVersion);
  if (record.scores === undefined) throw new EvaluationWithoutScoresError(name, record.modelVersion);
  const scores = readFrameScores(await store.blobs.get(record.scores));
  return { name, record, report, split, datasetDigest, scores };
}

/** Two evaluations that can be compared. @throws as `scoredEvaluation` and `requireComparable` */
export async function comparablePair(
  store: Store,
  request: CompareEvaluationsRequest,
): Promise<readonly [ScoredEvaluation, ScoredEvaluation]> {
  const before = await scoredEvaluation(store, request.before, "before");
  const after = await scoredEvaluation(store, request.after, "after");
  requireComparable(before, after);
  return [before, after];
}

/** @throws {FramesDifferError} @throws {NoSharedActionUnitError} */
export function requireComparable(before: ScoredEvaluation, after: ScoredEvaluation): void {
  if (before.datasetDigest !== after.datasetDigest) {
    const [first, second] = [before, after].map(
      ({ record, datasetDigest }) => `${record.dataset} (${datasetDigest.slice(0, 12)})`,
    );
    throw new FramesDifferError(first!, second!);
  }
  checkComparable(before.scores, after.scores);
}

/** How a request wants its bootstrap. */
export function bootstrapOptions(
  request: Pick<CompareEvaluationsRequest, "seed" | "bootstrapResamples" | "confidence">,
): BootstrapOptions {
  return {
    seed: Number(request.seed ?? 0n),
    resamples: request.bootstrapResamples || DEFAULT_RESAMPLES,
    confidence: request.confidence,
  };
}
