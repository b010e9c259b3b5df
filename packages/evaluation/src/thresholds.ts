import { checkFinite } from "./check-finite.ts";
import { type ScoredLabels, sweepUnit } from "./sweep.ts";

/** Scores and labels of N frames and A action units. */
export interface ScoredUnits {
  readonly actionUnits: readonly number[];
  /** [N * A] */
  readonly probabilities: Float32Array;
  /** [N * A]: 1 occurs, 0 does not, -1 unknown. */
  readonly occurrence: Int8Array;
}

/**
 * For each action unit the threshold of 0.01 to 0.99 with the largest F1 on these frames; undefined where the frames do
 * not show both classes. Choose them on validation subjects: on the test part they would flatter it.
 *
 * @throws {NonFiniteScoreError} when a probability is no number
 */
export function chooseThresholds(frames: ScoredUnits): (number | undefined)[] {
  checkFinite(frames.probabilities, frames.actionUnits.length);
  return frames.actionUnits.map((_, unit) => {
    const labelled = scoredLabelsOf(frames, unit);
    const isTold = labelled.positive.includes(1) && labelled.positive.includes(0);
    return isTold ? sweepUnit(labelled).threshold : undefined;
  });
}

/** One action unit's scores and labels where the label is known. */
export function scoredLabelsOf({ actionUnits, probabilities, occurrence }: ScoredUnits, unit: number): ScoredLabels {
  const units = actionUnits.length;
  const frames: number[] = [];
  const scores: number[] = [];
  const positive: number[] = [];
  for (let at = unit; at < occurrence.length; at += units) {
    if (occurrence[at] === -1) continue;
    frames.push((at - unit) / units);
    scores.push(probabilities[at]!);
    positive.push(occurrence[at]!);
  }
  return { frames, scores, positive };
}
