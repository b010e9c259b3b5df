import { type BootstrapOptions, type SamplingUnits, samplingUnitsOf } from "./bootstrap.ts";
import { classFigures } from "./class-figures.ts";
import { answersOf, takeRows } from "./classification.ts";
import { comparePairedFigures, type PairedComparison, type WeightedFigures } from "./compare-paired.ts";
import { requireSameFrames } from "./compare-scores.ts";
import type { ExpressionScores } from "./expression-scores.ts";

/** How the figures of two classifiers differ, on the frames of the classes that both have. */
export interface ExpressionComparison {
  readonly frames: number;
  /** 0 when they are not known. */
  readonly subjects: number;
  readonly intervalsOver: SamplingUnits["kind"];
  readonly resamples: number;
  readonly seed: number;
  readonly confidence: number;
  readonly top1: PairedComparison;
  /** Over the classes that occur. */
  readonly meanClassAccuracy: PairedComparison;
  /** Over the classes that occur. */
  readonly macroF1: PairedComparison;
  /** In the order of the first classifier's. */
  readonly expressions: readonly {
    readonly expression: string;
    /** Empty where it does not occur. */
    readonly recall: PairedComparison;
    /** Empty where it does not occur. */
    readonly f1: PairedComparison;
  }[];
  /** Frames by who answers their class. */
  readonly answers: {
    readonly bothRight: number;
    readonly onlyBeforeRight: number;
    readonly onlyAfterRight: number;
    readonly bothWrong: number;
  };
  /** Classes of one classifier alone, whose frames are in no figure. */
  readonly onlyBefore: readonly string[];
  readonly onlyAfter: readonly string[];
}

/** Thrown when no frame is of a class that both of two classifiers have. */
export class NoSharedExpressionError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "NO_SHARED_EXPRESSION";

  constructor(before: readonly string[], after: readonly string[]) {
    super(
      `Expected frames of expressions that both classifiers have, got none; they have ${before.join(", ")} and ${after.join(", ")}`,
    );
    this.name = "NoSharedExpressionError";
  }
}

/**
 * Compares what two classifiers answered to the same frames, by a bootstrap that draws the same subjects (frames, where none
 * is known) for both. An answer that only one of them could give is wrong, as any other.
 *
 * @throws {FramesDifferError} @throws {NoSharedExpressionError}
 */
export function compareExpressions(
  before: ExpressionScores,
  after: ExpressionScores,
  options: BootstrapOptions,
): ExpressionComparison {
  const { shared, rows } = checkComparableExpressions(before, after);
  const subjects = rows.map((row) => before.subjects[row]!);
  const sampling = samplingUnitsOf(subjects);
  const place = placesAmong(shared, before.expressions);
  const labels = Int32Array.from(rows, (row) => place[before.labels[row]!]!);
  const [first, second] = [answersAmong(shared, before, rows), answersAmong(shared, after, rows)];
  const figures = (answers: Int32Array): WeightedFigures => {
    const answered = { labels, answers, classes: shared.length };
    return (weightOf) => {
      const { top1, meanClassAccuracy, macroF1, recalls, f1s } = classFigures(answered, weightOf);
      return [top1, meanClassAccuracy, macroF1, ...recalls, ...f1s];
    };
  };
  const run = { subjects, before: figures(first), after: figures(second) };
  const [top1, meanClassAccuracy, macroF1, ...each] = comparePairedFigures([run], options) as [
    PairedComparison,
    PairedComparison,
    PairedComparison,
    ...PairedComparison[],
  ];
  const count = (isBefore: boolean, isAfter: boolean) =>
    labels.filter((label, i) => (first[i] === label) === isBefore && (second[i] === label) === isAfter).length;
  return {
    frames: rows.length,
    subjects: sampling.subjects.length,
    intervalsOver: sampling.kind,
    resamples: options.resamples,
    seed: options.seed,
    confidence: options.confidence ?? 0.95,
    top1,
    meanClassAccuracy,
    macroF1,
    expressions: shared.map((expression, i) => ({ expression, recall: each[i]!, f1: each[shared.length + i]! })),
    answers: {
      bothRight: count(true, true),
      onlyBeforeRight: count(true, false),
      onlyAfterRight: count(false, true),
      bothWrong: count(false, false),
    },
    onlyBefore: before.expressions.filter((expression) => !shared.includes(expression)),
    onlyAfter: after.expressions.filter((expression) => !shared.includes(expression)),
  };
}

/**
 * The classes that both have, and the rows of their frames. Labels are those of the first: of the same frames of the same
 * data set both have the same.
 *
 * @throws as `compareExpressions`
 */
export function checkComparableExpressions(
  before: ExpressionScores,
  after: ExpressionScores,
): { readonly shared: readonly string[]; readonly rows: readonly number[] } {
  requireSameFrames(before, after);
  const shared = before.expressions.filter((expression) => after.expressions.includes(expression));
  const isShared = before.expressions.map((expression) => shared.includes(expression));
  const rows = Array.from(before.labels.keys()).filter((row) => isShared[before.labels[row]!] === true);
  if (rows.length === 0) throw new NoSharedExpressionError(before.expressions, after.expressions);
  return { shared, rows };
}

/** The answers of some rows as places among the shared classes; -1: another class. */
function answersAmong(
  shared: readonly string[],
  { expressions, labels, logits }: ExpressionScores,
  rows: readonly number[],
): Int32Array {
  const taken = {
    logits: takeRows(logits, expressions.length, rows),
    labels: Int32Array.from(rows, (row) => labels[row]!),
  };
  const place = placesAmong(shared, expressions);
  return answersOf(taken).map((answer) => place[answer]!);
}

const placesAmong = (shared: readonly string[], expressions: readonly string[]): readonly number[] =>
  expressions.map((expression) => shared.indexOf(expression));
