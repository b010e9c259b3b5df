import { prepareAuc } from "./auc.ts";
import { createBootstrap, samplingUnitsOf, type UnitWeights } from "./bootstrap.ts";
import { checkFinite } from "./check-finite.ts";
import { f1FromCounts, trivialF1 } from "./counts.ts";
import { identityLeakage } from "./identity-leakage.ts";
import { mean } from "./mean.ts";
import type { Estimate, EvaluationReport } from "./report.ts";
import { isPresent, type ScoredLabels, sweepThreshold } from "./sweep.ts";
import { scoredLabelsOf } from "./thresholds.ts";

/** Predictions beside their labels, for N frames and A action units. */
export interface EvaluationInput {
  /** A FACS numbers. */
  readonly actionUnits: readonly number[];
  /** [N * A] */
  readonly probabilities: Float32Array;
  /** [N * A]: 1 occurs, 0 does not, -1 unknown. */
  readonly occurrence: Int8Array;
  /** The subject of each frame; all empty when they are not known, and then frames are drawn by the bootstrap. */
  readonly subjects: readonly string[];
  /** A thresholds: an action unit is present from this probability on. */
  readonly thresholds: readonly number[];
  /** [N * D]: identity leakage is measured when given. */
  readonly features?: Float32Array | undefined;
  /** Fixes the bootstrap and the probe's split. */
  readonly seed: number;
  /** Bootstrap resamples. */
  readonly resamples: number;
}

/** What is asked of one action unit. */
interface UnitStatistics {
  readonly f1: (weights: UnitWeights) => number;
  readonly auc: (weights: UnitWeights) => number | undefined;
}

/**
 * Evaluates predictions: per action unit and in the mean F1 at the threshold, AUC and prevalence with intervals, and how
 * well the features give the subject away. An action unit that never occurs counts as F1 = 0 in the mean and is left out
 * of the mean AUC.
 *
 * @throws {RangeError} when the arrays do not fit each other
 * @throws {NonFiniteScoreError} when a probability is no number
 */
export function evaluate(input: EvaluationInput): EvaluationReport {
  const { actionUnits, probabilities, occurrence, thresholds, features, seed } = input;
  const frames = input.subjects.length;
  const units = actionUnits.length;
  for (const [name, length] of [
    ["probabilities", probabilities.length],
    ["occurrence", occurrence.length],
  ] as const) {
    if (length !== frames * units) throw new RangeError(`Expected ${frames * units} ${name}, got ${length}`);
  }
  if (frames === 0) throw new RangeError("Expected at least one frame, got none");
  if (thresholds.length !== units) throw new RangeError(`Expected ${units} thresholds, got ${thresholds.length}`);
  checkFinite(probabilities, units);

  const bootstrap = createBootstrap(samplingUnitsOf(input.subjects), input);
  const sampling = bootstrap.units;
  const scored = actionUnits.map((_, unit) => scoredLabelsOf(input, unit));
  const statistics = scored.map((labelled, unit) =>
    unitStatistics(labelled, { threshold: thresholds[unit]!, owners: sampling.owners, count: sampling.count }),
  );
  const estimates = bootstrap.estimate((weights) => {
    const f1s = statistics.map(({ f1 }) => f1(weights));
    const aucs = statistics.map(({ auc }) => auc(weights));
    return [mean(f1s), mean(aucs.flatMap((auc) => auc ?? [])), ...f1s, ...aucs];
  });
  const [meanF1, macroAuc, ...each] = estimates as [Estimate, Estimate, ...Estimate[]];
  const reports = actionUnits.map((actionUnit, unit) => {
    const { positive } = scored[unit]!;
    const prevalence = mean(positive) ?? 0;
    return {
      actionUnit,
      frames: positive.length,
      prevalence,
      threshold: thresholds[unit]!,
      f1: each[unit]!,
      trivialF1: trivialF1(prevalence),
      auc: each[units + unit]!,
    };
  });
  const leakage = features === undefined ? undefined : identityLeakage(features, bootstrap, seed);
  return {
    frames,
    subjects: sampling.subjects.length,
    intervalsOver: sampling.kind,
    resamples: input.resamples,
    seed,
    actionUnits: reports,
    meanF1,
    meanTrivialF1: mean(reports.map((report) => report.trivialF1)) ?? 0,
    sweptF1: sweepThreshold(scored),
    macroAuc,
    ...(leakage === undefined ? {} : { identityLeakage: leakage }),
  };
}

function unitStatistics(
  { frames, scores, positive }: ScoredLabels,
  { threshold, owners, count }: { readonly threshold: number; readonly owners: Int32Array; readonly count: number },
): UnitStatistics {
  // Counted once a sampling unit; a resample only adds them up.
  const truePositives = new Uint32Array(count);
  const falsePositives = new Uint32Array(count);
  const falseNegatives = new Uint32Array(count);
  for (const [i, label] of positive.entries()) {
    const owner = owners[frames[i]!]!;
    const present = isPresent(scores[i]!, threshold);
    if (present && label === 1) truePositives[owner]!++;
    else if (present) falsePositives[owner]!++;
    else if (label === 1) falseNegatives[owner]!++;
  }
  const ranking = prepareAuc(scores, positive);
  return {
    f1(weights) {
      const sum = { truePositives: 0, falsePositives: 0, falseNegatives: 0 };
      for (const [owner, weight] of weights.entries()) {
        sum.truePositives += weight * truePositives[owner]!;
        sum.falsePositives += weight * falsePositives[owner]!;
        sum.falseNegatives += weight * falseNegatives[owner]!;
      }
      return f1FromCounts(sum);
    },
    auc: (weights) => ranking.auc((sample) => weights[owners[frames[sample]!]!]!),
  };
}
