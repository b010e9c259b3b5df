import type { UnitWeights } from "./bootstrap.ts";
import type { ScoredLabels } from "./sweep.ts";

/** Bins of the calibration error: of equal width, so that one reads "of what it calls 30 to 40 % likely, how much occurs". */
export const CALIBRATION_BINS = 10;

/** The frames whose probability falls into one bin, (lower, upper]; the first bin holds 0 as well. */
export interface CalibrationBin {
  readonly lower: number;
  readonly upper: number;
  /** How many, possibly weighted. */
  readonly frames: number;
  /** Mean of the probabilities. */
  readonly meanProbability: number;
  /** Share in which the action unit occurs. */
  readonly occurring: number;
}

/** How far probabilities are from what occurs. Both are undefined without frames. */
export interface CalibrationFigures {
  /**
   * Expected calibration error (Naeini et al. 2015) of the probability of "present": the mean over frames of the distance,
   * in their bin, between mean probability and share that occurs.
   */
  readonly calibrationError: number | undefined;
  /** Mean squared distance between probability and label (Brier 1950). */
  readonly brierScore: number | undefined;
}

/** Probabilities that were put into bins once, and are asked again for every resample by other weights. */
export interface WeightedCalibration {
  figures(weights: UnitWeights): CalibrationFigures;
  /** The bins that have frames. */
  bins(weights: UnitWeights): CalibrationBin[];
}

/** What the frames of one sampling unit add to one bin. */
interface Cell {
  readonly owner: number;
  readonly bin: number;
  frames: number;
  scores: number;
  positives: number;
  squaredErrors: number;
}

/**
 * Puts one action unit's probabilities into bins, a sampling unit at a time. Scores below 0 and above 1, which are no
 * probabilities, count for the outermost bins.
 *
 * @param owners the sampling unit of each frame
 */
export function prepareCalibration(
  { frames, scores, positive }: ScoredLabels,
  owners: Int32Array,
): WeightedCalibration {
  const cells = new Map<number, Cell>();
  for (const [i, label] of positive.entries()) {
    const owner = owners[frames[i]!]!;
    const bin = binOf(scores[i]!);
    const key = owner * CALIBRATION_BINS + bin;
    const cell = cells.get(key) ?? { owner, bin, frames: 0, scores: 0, positives: 0, squaredErrors: 0 };
    cell.frames++;
    cell.scores += scores[i]!;
    cell.positives += label;
    cell.squaredErrors += (scores[i]! - label) ** 2;
    cells.set(key, cell);
  }
  const parts = [...cells.values()];

  const sum = (weights: UnitWeights) => {
    const sums = Array.from({ length: CALIBRATION_BINS }, () => ({ frames: 0, scores: 0, positives: 0 }));
    let squaredErrors = 0;
    for (const cell of parts) {
      const weight = weights[cell.owner]!;
      const bin = sums[cell.bin]!;
      bin.frames += weight * cell.frames;
      bin.scores += weight * cell.scores;
      bin.positives += weight * cell.positives;
      squaredErrors += weight * cell.squaredErrors;
    }
    return { sums, squaredErrors };
  };
  return {
    figures(weights) {
      const { sums, squaredErrors } = sum(weights);
      const all = sums.reduce((total, bin) => total + bin.frames, 0);
      if (all === 0) return { calibrationError: undefined, brierScore: undefined };
      const distance = sums.reduce((total, bin) => total + Math.abs(bin.scores - bin.positives), 0);
      return { calibrationError: distance / all, brierScore: squaredErrors / all };
    },
    bins: (weights) =>
      sum(weights).sums.flatMap(({ frames, scores, positives }, bin) =>
        frames === 0
          ? []
          : [{ ...edgesOf(bin), frames, meanProbability: scores / frames, occurring: positives / frames }],
      ),
  };
}

const edgesOf = (bin: number) => ({ lower: bin / CALIBRATION_BINS, upper: (bin + 1) / CALIBRATION_BINS });

/** Of a probability at an edge the bin below. */
function binOf(score: number): number {
  let bin = 0;
  while (bin < CALIBRATION_BINS - 1 && score > edgesOf(bin).upper) bin++;
  return bin;
}
