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

/**
 * The threshold, one for all action units, of 0.01 to 0.99 with the largest mean F1 on these frames (1.12 of the
 * behavioural specification); of equal ones the first.
 */
export function sweepThreshold(units: readonly ScoredLabels[]): SweptThreshold {
  return best((threshold) => units.reduce((sum, unit) => sum + f1At(unit, threshold), 0) / units.length);
}

/** The same for one action unit alone. */
export function sweepUnit(unit: ScoredLabels): SweptThreshold {
  return best((threshold) => f1At(unit, threshold));
}

/**
 * True when a score counts as present. Scores are single precision, and so is the threshold beside them: 0.7 as a double
 * is more than the score 0.7.
 */
export function isPresent(score: number, threshold: number): boolean {
  return score >= Math.fround(threshold);
}

function best(valueAt: (threshold: number) => number): SweptThreshold {
  let found = { threshold: 0.01, value: Number.NEGATIVE_INFINITY };
  for (let percent = 1; percent <= 99; percent++) {
    const threshold = percent / 100;
    const value = valueAt(threshold);
    if (value > found.value) found = { threshold, value };
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
