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

/** Frames of one action unit that one model scored. */
export interface DecidedLabels {
  readonly labelled: ScoredLabels;
  /** It is present from this probability on. */
  readonly threshold: number;
}

/**
 * Prepares what is asked of one action unit: what does not depend on the resample is done once.
 *
 * @param parts other frames each; several where models share the frames, each with its threshold
 */
export function prepareUnit(parts: readonly DecidedLabels[], { owners, count }: SamplingUnits): UnitStatistics {
  const labelled = joinLabels(parts);
  const own = parts.map((part) => countDecisions(part.labelled, { threshold: part.threshold, owners, count }));
  const confusion = (weights: UnitWeights) => own.map((counts) => counts(weights)).reduce(added);
  const confusionAtHalf = countDecisions(labelled, { threshold: 0.5, owners, count });
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

/** The frames of several parts as those of one. */
export function joinLabels(parts: readonly DecidedLabels[]): ScoredLabels {
  if (parts.length === 1) return parts[0]!.labelled;
  return {
    frames: parts.flatMap(({ labelled }) => labelled.frames),
    scores: parts.flatMap(({ labelled }) => labelled.scores),
    positive: parts.flatMap(({ labelled }) => labelled.positive),
  };
}

const added = (a: Confusion, b: Confusion): Confusion => ({
  truePositives: a.truePositives + b.truePositives,
  falsePositives: a.falsePositives + b.falsePositives,
  falseNegatives: a.falseNegatives + b.falseNegatives,
  trueNegatives: a.trueNegatives + b.trueNegatives,
});
