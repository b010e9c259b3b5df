import { createBootstrap, samplingUnitsOf, type UnitWeights } from "./bootstrap.ts";
import { type ClassifiedFrames, crossEntropy, rowsOf } from "./classification.ts";
import { f1FromCounts } from "./counts.ts";
import type { ExpressionReport } from "./expression-report.ts";
import { identityLeakage } from "./identity-leakage.ts";
import { mean } from "./mean.ts";
import type { Estimate } from "./report.ts";

/** An expression classifier's answers beside the labels, for N frames and C classes. */
export interface ExpressionEvaluationInput extends ClassifiedFrames {
  /** C names of classes, in the order of the logits. */
  readonly expressions: readonly string[];
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
 * Evaluates an expression classifier: top-1 accuracy, recall and F1 of each class, their mean recall, the confusion of
 * classes and the cross-entropy, with intervals.
 *
 * @throws {RangeError} when the arrays do not fit each other, or no frame has a class
 * @throws {NonFiniteScoreError} when a logit is no number
 */
export function evaluateExpressions(input: ExpressionEvaluationInput): ExpressionReport {
  const { expressions, seed, resamples } = input;
  const classes = expressions.length;
  checkLength("logits", input.logits.length, input.labels.length * classes);
  checkLength("subjects", input.subjects.length, input.labels.length);
  const { frames, subjects, features } = labelled(input);
  const rows = rowsOf(frames);
  const answers = rows.map(({ logits }) => logits.indexOf(logits.reduce((a, b) => Math.max(a, b))));
  const losses = rows.map(crossEntropy);

  const bootstrap = createBootstrap(samplingUnitsOf(subjects), input);
  const { units } = bootstrap;
  /** [C * C] weights of frames, by their class times C plus the answer; and the sum of their losses. */
  const count = (weights: UnitWeights) => {
    const confusion = new Float64Array(classes * classes);
    let loss = 0;
    for (const [i, answer] of answers.entries()) {
      const weight = weights[units.owners[i]!]!;
      confusion[frames.labels[i]! * classes + answer]! += weight;
      loss += weight * losses[i]!;
    }
    return { confusion, loss };
  };
  const estimates = bootstrap.estimate((weights) => {
    const { confusion, loss } = count(weights);
    const counts = expressions.map((_, index) => countsOf(confusion, classes, index));
    const total = confusion.reduce((sum, each) => sum + each, 0);
    const recalls = counts.map(({ truePositives, falseNegatives }) =>
      truePositives + falseNegatives === 0 ? undefined : truePositives / (truePositives + falseNegatives),
    );
    const f1s = counts.map((each, index) => (recalls[index] === undefined ? undefined : f1FromCounts(each)));
    const right = counts.reduce((sum, { truePositives }) => sum + truePositives, 0);
    return [right / total, mean(recalls.flatMap((recall) => recall ?? [])), loss / total, ...recalls, ...f1s];
  });
  const [top1, meanClassAccuracy, entropy, ...figures] = estimates as [Estimate, Estimate, Estimate, ...Estimate[]];
  const { confusion: whole } = count(new Uint16Array(units.count).fill(1));
  const confusion = expressions.map((_, row) => Array.from(whole.subarray(row * classes, (row + 1) * classes)));
  const occurring = confusion.map((row) => row.reduce((sum, each) => sum + each, 0));
  const leakage = features === undefined ? undefined : identityLeakage(features, bootstrap, seed);
  return {
    frames: rows.length,
    framesLeftOut: input.labels.length - rows.length,
    subjects: units.subjects.length,
    intervalsOver: units.kind,
    resamples,
    seed,
    top1,
    trivialTop1: Math.max(...occurring) / rows.length,
    meanClassAccuracy,
    crossEntropy: entropy,
    expressions: expressions.map((expression, index) => ({
      expression,
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
  const rows = (values: Float32Array, width: number) => {
    const kept = new Float32Array(known.length * width);
    for (const [row, i] of known.entries()) kept.set(values.subarray(i * width, (i + 1) * width), row * width);
    return kept;
  };
  return {
    frames: { logits: rows(logits, expressions.length), labels: Int32Array.from(known, (i) => labels[i]!) },
    subjects: known.map((i) => subjects[i]!),
    features: features && rows(features, features.length / labels.length),
  };
}

/** What an answer is to one class. */
function countsOf(confusion: Float64Array, classes: number, index: number) {
  const truePositives = confusion[index * classes + index]!;
  let [labelledSo, answeredSo] = [0, 0];
  for (let other = 0; other < classes; other++) {
    labelledSo += confusion[index * classes + other]!;
    answeredSo += confusion[other * classes + index]!;
  }
  return {
    truePositives,
    falsePositives: answeredSo - truePositives,
    falseNegatives: labelledSo - truePositives,
  };
}

function checkLength(what: string, actual: number, expected: number): void {
  if (actual !== expected) throw new RangeError(`Expected ${expected} ${what}, got ${actual}`);
}
