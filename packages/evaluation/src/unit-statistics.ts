import type { SamplingUnits, UnitWeights } from "./bootstrap.ts";
import { type CalibrationBin, prepareCalibration } from "./calibration.ts";
import { type Confusion, f1FromCounts } from "./counts.ts";
import { countDecisions } from "./decisions.ts";
import { prepareRanking } from "./ranking.ts";
import type { ScoredLabels } from "./sweep.ts";

/** The figures of an action unit that have intervals and a mean over the action units. */
export const UNIT_FIGURES = ["f1", "f1AtHalf", "auc", "averagePrecision", "calibrationError", "brierScore"] as const;
/** The name of such a figure. */
export type UnitFigure = (typeof UNIT_FIGURES)[number];

/** What is asked of one action unit, for resamples of the sampling units. */
export interface UnitStatistics {
  /** Undefined what does not exist then. */
  figures(weights: UnitWeights): Record<UnitFigure, number | undefined>;
  /** At the action unit's threshold. */
  confusion(weights: UnitWeights): Confusion;
  calibrationBins(weights: UnitWeights): CalibrationBin[];
}

/** Prepares what is asked of one action unit: what does not depend on the resample is done once. */
export function prepareUnit(
  labelled: ScoredLabels,
  threshold: number,
  { owners, count }: SamplingUnits,
): UnitStatistics {
  const confusion = countDecisions(labelled, { threshold, owners, count });
  const confusionAtHalf = threshold === 0.5 ? confusion : countDecisions(labelled, { threshold: 0.5, owners, count });
  const ranking = prepareRanking(labelled.scores, labelled.positive);
  const calibration = prepareCalibration(labelled, owners);
  return {
    figures: (weights) => ({
      f1: f1FromCounts(confusion(weights)),
      f1AtHalf: f1FromCounts(confusionAtHalf(weights)),
      ...ranking.figures((sample) => weights[owners[labelled.frames[sample]!]!]!),
      ...calibration.figures(weights),
    }),
    confusion,
    calibrationBins: calibration.bins,
  };
}
