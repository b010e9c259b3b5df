import { type BootstrapOptions, type SamplingUnits, samplingUnitsOf } from "./bootstrap.ts";
import { classFigures } from "./class-figures.ts";
import { answersOf, takeRows } from "./classification.ts";
import { type CommonFrames, commonFrames, hasSameFrames, NoCommonFrameError } from "./common-frames.ts";
import { comparePairedFigures, type PairedComparison, type WeightedFigures } from "./compare-paired.ts";
import type { ExpressionScores } from "./expression-scores.ts";

/** How the figures of two classifiers differ, on the frames that both have of the classes that both have. */
export interface ExpressionComparison {
  /** Those that all figures are on. */
  readonly frames: number;
  /** Of the first alone, of the classes that both have; in no figure. */
  readonly framesOnlyBefore: number;
  /** Of the second alone, of the classes that both have; in no figure. */
  readonly framesOnlyAfter: number;
  /** Of the frames that figures are on; 0 when they are not known. */
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
  /** Those of `onlyBefore` that frames are labelled with. */
  readonly lost: readonly string[];
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
 * Compares what two classifiers answered to the frames that both have, by a bootstrap that draws the same subjects (frames,
 * where none is known) for both. An answer that only one of them could give is wrong, as any other. Whether frames of one
 * alone may be left out is the caller's to know: both must be of what their trainings held out.
 *
 * @throws {NoCommonFrameError} @throws {NoSharedExpressionError}
 */
export function compareExpressions(
  before: ExpressionScores,
  after: ExpressionScores,
  options: BootstrapOptions,
): ExpressionComparison {
  const { shared, rows } = checkComparableExpressions(before, after);
  const subjects = rows.before.map((row) => before.subjects[row]!);
  const sampling = samplingUnitsOf(subjects);
  const place = placesAmong(shared, before.expressions);
  const labels = Int32Array.from(rows.before, (row) => place[before.labels[row]!]!);
  const [first, second] = [answersAmong(shared, before, rows.before), answersAmong(shared, after, rows.after)];
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
    frames: labels.length,
    framesOnlyBefore: framesOf(shared, before) - labels.length,
    framesOnlyAfter: framesOf(shared, after) - labels.length,
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
    lost: before.expressions.filter((expression, i) => !shared.includes(expression) && before.labels.includes(i)),
  };
}

/**
 * The classes that both have, and the frames of these that both have. Labels are those of the first: of the same frames of
 * the same data set both have the same.
 *
 * @throws as `compareExpressions`
 */
export function checkComparableExpressions(
  before: ExpressionScores,
  after: ExpressionScores,
): { readonly shared: readonly string[]; readonly rows: CommonFrames } {
  const shared = before.expressions.filter((expression) => after.expressions.includes(expression));
  if (shared.length === 0) throw new NoSharedExpressionError(before.expressions, after.expressions);
  const common = commonFrames(before, after);
  const isShared = sharedLabels(shared, before);
  const kept = [...common.before.keys()].filter((i) => isShared(common.before[i]!));
  if (kept.length === 0) {
    throw hasSameFrames(before, after)
      ? new NoSharedExpressionError(before.expressions, after.expressions)
      : new NoCommonFrameError(before, after, `of ${shared.join(", ")}`);
  }
  return { shared, rows: { before: kept.map((i) => common.before[i]!), after: kept.map((i) => common.after[i]!) } };
}

/** Whether the label of a row is one of the shared classes. */
function sharedLabels(shared: readonly string[], { expressions, labels }: ExpressionScores): (row: number) => boolean {
  const isShared = expressions.map((expression) => shared.includes(expression));
  return (row) => isShared[labels[row]!] === true;
}

/** How many frames are of the shared classes. */
function framesOf(shared: readonly string[], scores: ExpressionScores): number {
  return [...scores.labels.keys()].filter(sharedLabels(shared, scores)).length;
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
