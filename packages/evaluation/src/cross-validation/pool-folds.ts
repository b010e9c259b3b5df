import { type Bootstrap, type BootstrapOptions, createBootstrap, samplingUnitsOf } from "../bootstrap.ts";
import type { FrameScores } from "../frame-scores.ts";
import { mean } from "../mean.ts";
import type { Estimate } from "../report.ts";
import { prepareSharedSweep } from "../shared-sweep.ts";
import { scoredLabelsOf } from "../thresholds.ts";
import { estimatesFrom, figureRow, type UnitEstimates } from "../unit-estimates.ts";
import { type DecidedLabels, joinLabels, prepareUnit } from "../unit-statistics.ts";

/** What the folds of each seed say together. */
export interface PooledFolds extends UnitEstimates {
  readonly sampling: Bootstrap["units"];
  /** Frames of one seed. */
  readonly frames: number;
  /** By action unit: F1 at the threshold that fits all frames of a seed best, mean over seeds; each resample is swept anew. */
  readonly sweptF1: readonly Estimate[];
  readonly meanSweptF1: Estimate;
  /** By action unit, of the frames with a known label of one seed. */
  readonly labels: readonly { readonly frames: number; readonly prevalence: number }[];
}

/**
 * Puts the frames of all folds of a seed together, each decided on at the thresholds of the model that scored it, and takes
 * the mean over seeds. The bootstrap draws the same subjects for all seeds.
 *
 * @param seeds the folds of each; all of the same action units
 * @throws {RangeError} when a frame is held out twice, or seeds hold out other frames
 */
export function poolFolds(seeds: readonly (readonly FrameScores[])[], options: BootstrapOptions): PooledFolds {
  const heldOut = seeds.map((folds) => folds.flatMap((fold) => Array.from(fold.frames)).sort((a, b) => a - b));
  for (const frames of heldOut) {
    const twice = frames.find((frame, i) => frame === frames[i - 1]);
    if (twice !== undefined) throw new RangeError(`Expected each frame in one fold, frame ${twice} is in two`);
    if (frames.length !== heldOut[0]!.length || frames.some((frame, i) => frame !== heldOut[0]![i])) {
      throw new RangeError("Expected all seeds to hold out the same frames");
    }
  }
  const placed = seeds.map(placeFolds);
  const { sampling } = placed[0]!;
  const statistics = placed.map((seed) => seed.units.map((parts) => prepareUnit(parts, seed.sampling)));
  const sweeps = placed.map((seed) => prepareSharedSweep(seed.units.map(joinLabels), seed.sampling));
  const [meanSweptF1, ...estimates] = createBootstrap(sampling, options).estimate((weights) =>
    meanRow(
      sweeps.map((sweep, seed) => {
        const swept = sweep(weights);
        return [swept.value, ...swept.units, ...figureRow(statistics[seed]!, weights)];
      }),
    ),
  );
  const sweptF1 = estimates.splice(0, placed[0]!.units.length);
  return {
    ...estimatesFrom(estimates),
    sampling,
    frames: heldOut[0]!.length,
    sweptF1,
    meanSweptF1: meanSweptF1!,
    labels: placed[0]!.units.map((parts) => {
      const { positive } = joinLabels(parts);
      return { frames: positive.length, prevalence: mean(positive) ?? 0 };
    }),
  };
}

/** The folds of a seed one after the other: by action unit, the labels of each fold with places among all frames. */
function placeFolds(folds: readonly FrameScores[]) {
  const sampling = samplingUnitsOf(folds.flatMap(({ subjects }) => subjects));
  let first = 0;
  const units: DecidedLabels[][] = folds[0]!.actionUnits.map(() => []);
  for (const fold of folds) {
    for (const [unit, parts] of units.entries()) {
      const labelled = scoredLabelsOf(fold, unit);
      const place = first;
      const frames = labelled.frames.map((frame) => place + frame);
      parts.push({ labelled: { ...labelled, frames }, threshold: fold.thresholds[unit]! });
    }
    first += fold.frames.length;
  }
  return { sampling, units };
}

/** The mean of each column; undefined where a row has none. */
function meanRow(rows: readonly (readonly (number | undefined)[])[]): (number | undefined)[] {
  return rows[0]!.map((_, column) => {
    const values = rows.map((row) => row[column]);
    return values.includes(undefined) ? undefined : mean(values as number[]);
  });
}
