import { f1FromCounts } from "./counts.ts";

/** Scores and labels of one action unit on the frames whose label is known. */
export interface ScoredLabels {
  /** Which frames these are. */
  readonly frames: readonly number[];
  readonly scores: readonly number[];
  readonly positive: readonly number[];
}

/** A threshold and what it reaches. */
export interface SweptThreshold {
  readonly threshold: number;
  readonly value: number;
}

/** Thresholds are swept in hundredths, from 0.01 to this. */
export const LAST_PERCENT = 99;

/** The threshold of 0.01 to 0.99 with the largest F1 of one action unit on these frames; of equal ones the first. */
export function sweepUnit(unit: ScoredLabels): SweptThreshold {
  return bestThreshold((percent) => f1At(unit, percent / 100));
}

/**
 * True when a score counts as present. Scores are single precision, and so is the threshold beside them: 0.7 as a double
 * is more than the score 0.7.
 */
export function isPresent(score: number, threshold: number): boolean {
  return score >= Math.fround(threshold);
}

/** The threshold of the largest value, of equal ones the first. @param valueAt of a threshold in hundredths */
export function bestThreshold(valueAt: (percent: number) => number): SweptThreshold {
  let found = { threshold: 0.01, value: Number.NEGATIVE_INFINITY };
  for (let percent = 1; percent <= LAST_PERCENT; percent++) {
    const value = valueAt(percent);
    if (value > found.value) found = { threshold: percent / 100, value };
  }
  return found;
}

/** F1 at a threshold. */
export function f1At({ scores, positive }: ScoredLabels, threshold: number): number {
  const counts = { truePositives: 0, falsePositives: 0, falseNegatives: 0 };
  for (const [i, label] of positive.entries()) {
    const present = isPresent(scores[i]!, threshold);
    if (present && label === 1) counts.truePositives++;
    else if (present) counts.falsePositives++;
    else if (label === 1) counts.falseNegatives++;
  }
  return f1FromCounts(counts);
}
