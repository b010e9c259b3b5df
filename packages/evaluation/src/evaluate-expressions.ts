import { createBootstrap, samplingUnitsOf } from "./bootstrap.ts";
import { classFigures } from "./class-figures.ts";
import { answersOf, type ClassifiedFrames, crossEntropy, rowsOf, takeRows } from "./classification.ts";
import type { ExpressionReport } from "./expression-report.ts";
import { identityLeakage } from "./identity-leakage.ts";
import type { Estimate } from "./report.ts";

/** An expression classifier's answers beside the labels, for N frames and C classes. */
export interface ExpressionEvaluationInput extends ClassifiedFrames {
  /** C names of classes, in the order of the logits. */
  readonly expressions: readonly string[];
  /** Names of the data set's classes; when absent, those of the classifier. */
  readonly datasetExpressions?: readonly string[] | undefined;
  /** N indices of classes; -1: not known, or none of these classes. Such frames are left out. */
  readonly labels: Int32Array;
  /** The subject of each frame; all empty when they are not known, and then frames are drawn by the bootstrap. */
  readonly subjects: readonly string[];
  /** [N * D]: identity leakage is measured when given. */
  readonly features?: Float32Array | undefined;
  /** Fixes the bootstrap and the probe's split. */
  readonly seed: number;
  /** Bootstrap resamples. */
  readonly resamples: number;
}

/**
 * Evaluates an expression classifier: top-1 accuracy, recall and F1 of each class, their means, the confusion of classes and
 * the cross-entropy, with intervals.
 *
 * @throws {RangeError} when the arrays do not fit each other, or no frame has a class
 * @throws {NonFiniteScoreError} when a logit is no number
 */
export function evaluateExpressions(input: ExpressionEvaluationInput): ExpressionReport {
  const { expressions, datasetExpressions = expressions, seed, resamples } = input;
  const classes = expressions.length;
  checkLength("logits", input.logits.length, input.labels.length * classes);
  checkLength("subjects", input.subjects.length, input.labels.length);
  const { frames, subjects, features } = labelled(input);
  const losses = rowsOf(frames).map(crossEntropy);
  const answered = { labels: frames.labels, answers: answersOf(frames), classes };

  const bootstrap = createBootstrap(samplingUnitsOf(subjects), input);
  const { units } = bootstrap;
  const estimates = bootstrap.estimate((weights) => {
    const weightOf = (frame: number) => weights[units.owners[frame]!]!;
    const { top1, meanClassAccuracy, macroF1, recalls, f1s } = classFigures(answered, weightOf);
    return [top1, meanClassAccuracy, macroF1, weightedMean(losses, weightOf), ...recalls, ...f1s];
  });
  const [top1, meanClassAccuracy, macroF1, entropy, ...figures] = estimates as [
    Estimate,
    Estimate,
    Estimate,
    Estimate,
    ...Estimate[],
  ];
  const { confusion: whole } = classFigures(answered, () => 1);
  const confusion = expressions.map((_, row) => Array.from(whole.subarray(row * classes, (row + 1) * classes)));
  const occurring = confusion.map((row) => row.reduce((sum, each) => sum + each, 0));
  const leakage = features === undefined ? undefined : identityLeakage(features, bootstrap, seed);
  return {
    frames: losses.length,
    framesLeftOut: input.labels.length - losses.length,
    subjects: units.subjects.length,
    intervalsOver: units.kind,
    resamples,
    seed,
    top1,
    trivialTop1: Math.max(...occurring) / losses.length,
    meanClassAccuracy,
    macroF1,
    crossEntropy: entropy,
    expressions: expressions.map((expression, index) => ({
      expression,
      isInDataset: datasetExpressions.includes(expression),
      frames: occurring[index]!,
      recall: figures[index]!,
      f1: figures[classes + index]!,
    })),
    confusion,
    ...(leakage === undefined ? {} : { identityLeakage: leakage }),
  };
}

/** The frames whose class is known. */
function labelled({ logits, labels, subjects, features, expressions }: ExpressionEvaluationInput) {
  const known = Array.from(labels.keys()).filter((i) => labels[i] !== -1);
  if (known.length === 0) throw new RangeError("Expected at least one frame with a known class, got none");
  return {
    frames: {
      logits: takeRows(logits, expressions.length, known),
      labels: Int32Array.from(known, (i) => labels[i]!),
    },
    subjects: known.map((i) => subjects[i]!),
    features: features && takeRows(features, features.length / labels.length, known),
  };
}

function weightedMean(values: readonly number[], weightOf: (index: number) => number): number {
  let [sum, all] = [0, 0];
  for (const [index, value] of values.entries()) {
    const weight = weightOf(index);
    sum += weight * value;
    all += weight;
  }
  return sum / all;
}

function checkLength(what: string, actual: number, expected: number): void {
  if (actual !== expected) throw new RangeError(`Expected ${expected} ${what}, got ${actual}`);
}
