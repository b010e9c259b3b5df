import { createBootstrap, samplingUnitsOf } from "./bootstrap.ts";
import { checkFinite } from "./check-finite.ts";
import { trivialF1 } from "./counts.ts";
import { identityLeakage } from "./identity-leakage.ts";
import { mean } from "./mean.ts";
import type { EvaluationReport, ThresholdOrigin } from "./report.ts";
import { prepareSharedSweep } from "./shared-sweep.ts";
import { scoredLabelsOf } from "./thresholds.ts";
import { estimatesFrom, figureRow } from "./unit-estimates.ts";
import { prepareUnit } from "./unit-statistics.ts";

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
  /** Where each threshold comes from, when that is known. */
  readonly thresholdOrigins?: readonly ThresholdOrigin[] | undefined;
  /** [N * D]: identity leakage is measured when given. */
  readonly features?: Float32Array | undefined;
  /** Fixes the bootstrap and the probe's split. */
  readonly seed: number;
  /** Bootstrap resamples. */
  readonly resamples: number;
}

/**
 * Evaluates predictions: per action unit and in the mean F1 at the threshold, at 0.5 and at one swept on these frames, AUC,
 * average precision and calibration with intervals, and how well the features give the subject away. An action unit that never
 * occurs counts as F1 = 0 in the mean and is left out of the mean AUC and average precision.
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
    prepareUnit([{ labelled, threshold: thresholds[unit]! }], sampling),
  );
  const sweep = prepareSharedSweep(scored, sampling);
  const [sweptF1, ...each] = bootstrap.estimate((weights) => {
    const { value, units: values } = sweep(weights);
    return [value, ...values, ...figureRow(statistics, weights)];
  });
  const sweptUnits = each.splice(0, units);
  const estimates = estimatesFrom(each);
  const whole = new Uint16Array(sampling.count).fill(1);
  const swept = sweep(whole);
  const reports = actionUnits.map((actionUnit, unit) => {
    const { positive } = scored[unit]!;
    const prevalence = mean(positive) ?? 0;
    const origin = input.thresholdOrigins?.[unit];
    return {
      actionUnit,
      frames: positive.length,
      prevalence,
      threshold: thresholds[unit]!,
      ...(origin === undefined ? {} : { thresholdOrigin: origin }),
      ...estimates.units[unit]!,
      sweptF1: sweptUnits[unit]!,
      trivialF1: trivialF1(prevalence),
      confusion: statistics[unit]!.confusion(whole),
      calibrationBins: statistics[unit]!.calibrationBins(whole),
    };
  });
  const { mean: means, f1Micro } = estimates;
  const leakage = features === undefined ? undefined : identityLeakage(features, bootstrap, seed);
  return {
    frames,
    subjects: sampling.subjects.length,
    intervalsOver: sampling.kind,
    resamples: input.resamples,
    seed,
    actionUnits: reports,
    meanF1: means.f1,
    f1Micro,
    meanF1AtHalf: means.f1AtHalf,
    meanTrivialF1: mean(reports.map((report) => report.trivialF1)) ?? 0,
    sweptF1: { ...sweptF1, threshold: swept.threshold, value: swept.value },
    macroAuc: means.auc,
    macroAveragePrecision: means.averagePrecision,
    meanCalibrationError: means.calibrationError,
    meanBrierScore: means.brierScore,
    ...(leakage === undefined ? {} : { identityLeakage: leakage }),
  };
}
