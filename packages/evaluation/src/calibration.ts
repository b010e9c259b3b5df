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
  const cells = countCells({ frames, scores, positive }, owners);
  const sum = (weights: UnitWeights) => {
    const sums = Array.from({ length: CALIBRATION_BINS }, () => ({ frames: 0, scores: 0, positives: 0 }));
    let squaredErrors = 0;
    for (let cell = 0; cell < cells.count; cell++) {
      const weight = weights[cells.owners[cell]!]!;
      if (weight === 0) continue;
      const bin = sums[cells.bins[cell]!]!;
      bin.frames += weight * cells.frames[cell]!;
      bin.scores += weight * cells.scores[cell]!;
      bin.positives += weight * cells.positives[cell]!;
      squaredErrors += weight * cells.squaredErrors[cell]!;
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

/**
 * What the frames of each sampling unit add to each bin, for the pairs that have frames: a resample adds up a few hundred
 * of them where subjects are drawn, and where single frames are, there are no more than frames.
 */
function countCells({ frames, scores, positive }: ScoredLabels, owners: Int32Array) {
  const cellOf = new Map<number, number>();
  const cells = {
    count: 0,
    owners: new Int32Array(frames.length),
    bins: new Uint8Array(frames.length),
    frames: new Uint32Array(frames.length),
    scores: new Float64Array(frames.length),
    positives: new Uint32Array(frames.length),
    squaredErrors: new Float64Array(frames.length),
  };
  for (const [i, label] of positive.entries()) {
    const owner = owners[frames[i]!]!;
    const bin = binOf(scores[i]!);
    const key = owner * CALIBRATION_BINS + bin;
    const cell = cellOf.get(key) ?? cells.count++;
    cellOf.set(key, cell);
    cells.owners[cell] = owner;
    cells.bins[cell] = bin;
    cells.frames[cell]!++;
    cells.scores[cell]! += scores[i]!;
    cells.positives[cell]! += label;
    cells.squaredErrors[cell]! += (scores[i]! - label) ** 2;
  }
  return cells;
}

const edgesOf = (bin: number) => ({ lower: bin / CALIBRATION_BINS, upper: (bin + 1) / CALIBRATION_BINS });

/** Of a probability at an edge the bin below. */
function binOf(score: number): number {
  let bin = 0;
  while (bin < CALIBRATION_BINS - 1 && score > edgesOf(bin).upper) bin++;
  return bin;
}
