import { evaluationName, parseEvaluationName } from "@duchenne/control";
import {
  type BootstrapOptions,
  checkComparable,
  checkComparableExpressions,
  type EvaluationReport,
  type ExpressionReport,
  type ExpressionScores,
  type FrameScores,
  readExpressionScores,
  readFrameScores,
} from "@duchenne/evaluation";
import type { CompareEvaluationsRequest } from "@duchenne/proto";
import type { EvaluationRecord, Store } from "@duchenne/store";
import { storedReportSchema } from "../convert.ts";
import { DEFAULT_RESAMPLES } from "../resamples.ts";
import { requireComparableFrames } from "./comparable-frames.ts";
import type { ComparisonTask } from "./compare-in-thread.ts";

type NamedKind = Pick<ScoredEvaluation, "name" | "answers">;

/** Thrown when one of two evaluations or versions is of a detector and the other of a classifier. */
export class ModelKindsDifferError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "MODEL_KINDS_DIFFER";

  constructor(...both: readonly [NamedKind, NamedKind]) {
    const [first, second] = both.map(
      ({ name, answers }) =>
        `${answers === "action_units" ? "an action unit detector" : "an expression classifier"} (${name})`,
    );
    super(`Expected two models of the same kind, got ${first} and ${second}`);
    this.name = "ModelKindsDifferError";
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

interface ScoredHead {
  readonly name: string;
  readonly record: EvaluationRecord;
  readonly split: "held_out" | "all";
  readonly datasetDigest: string;
}

/** An evaluation of an action unit detector with what its frames scored. */
interface ScoredDetector extends ScoredHead {
  readonly answers: "action_units";
  readonly report: EvaluationReport;
  readonly scores: FrameScores;
}

/** An evaluation of an expression classifier with what its frames scored. */
interface ScoredClassifier extends ScoredHead {
  readonly answers: "expressions";
  readonly report: ExpressionReport;
  readonly scores: ExpressionScores;
}

/** An evaluation with what its frames scored. */
export type ScoredEvaluation = ScoredDetector | ScoredClassifier;

/** @throws {NotFoundError} @throws {EvaluationWithoutScoresError} @throws {FrameScoresError} */
export async function scoredEvaluation(store: Store, name: string, field: string): Promise<ScoredEvaluation> {
  return scoredRecord(store, await store.evaluations.get(parseEvaluationName(name, field)));
}

/** The same of a record. @throws as `scoredEvaluation` */
export async function scoredRecord(store: Store, record: EvaluationRecord): Promise<ScoredEvaluation> {
  const name = evaluationName(record.id);
  const { split, datasetDigest, ...report } = storedReportSchema.parse(record.report);
  if (record.scores === undefined) throw new EvaluationWithoutScoresError(name, record.modelVersion);
  const bytes = await store.blobs.get(record.scores);
  const head = { name, record, split, datasetDigest };
  return "expressions" in report
    ? { ...head, answers: "expressions", report, scores: readExpressionScores(bytes) }
    : { ...head, answers: "action_units", report, scores: readFrameScores(bytes) };
}

/** Two evaluations that can be compared. */
export interface ComparablePair {
  readonly before: ScoredEvaluation;
  readonly after: ScoredEvaluation;
  /** What a comparer takes. */
  task(options: BootstrapOptions): ComparisonTask;
}

/** Reads two evaluations that can be compared. @throws as `scoredEvaluation` and `requireComparable` */
export async function comparablePair(store: Store, request: CompareEvaluationsRequest): Promise<ComparablePair> {
  return requireComparable(
    await scoredEvaluation(store, request.before, "before"),
    await scoredEvaluation(store, request.after, "after"),
  );
}

/**
 * Two evaluations that can be compared, on the frames that both have.
 *
 * @throws {ModelKindsDifferError} @throws {FramesDifferError} @throws {NoCommonFrameError}
 * @throws {NoSharedActionUnitError} @throws {NoSharedExpressionError}
 */
export function requireComparable(before: ScoredEvaluation, after: ScoredEvaluation): ComparablePair {
  if (before.answers === "action_units" && after.answers === "action_units") {
    requireComparableFrames(before, after);
    checkComparable(before.scores, after.scores);
    const scores = { answers: "action_units", before: before.scores, after: after.scores } as const;
    return { before, after, task: (options) => ({ ...scores, options }) };
  }
  if (before.answers === "expressions" && after.answers === "expressions") {
    requireComparableFrames(before, after);
    checkComparableExpressions(before.scores, after.scores);
    const scores = { answers: "expressions", before: before.scores, after: after.scores } as const;
    return { before, after, task: (options) => ({ ...scores, options }) };
  }
  throw new ModelKindsDifferError(before, after);
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
