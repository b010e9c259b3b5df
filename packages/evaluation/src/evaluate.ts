import { prepareAuc } from "./auc.ts";
import { estimate, resampleSubjects, type SubjectWeights } from "./bootstrap.ts";
import { f1FromCounts, trivialF1 } from "./counts.ts";
import { identityLeakage } from "./identity-leakage.ts";
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
  /** The subject of each frame. */
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

interface UnitStatistics {
  readonly f1: (weights: SubjectWeights) => number;
  readonly auc: (weights: SubjectWeights) => number | undefined;
}

/**
 * Evaluates predictions: per action unit and in the mean F1 at the threshold, AUC and prevalence with intervals, and how
 * well the features give the subject away. An action unit that never occurs counts as F1 = 0 in the mean and is left out
 * of the mean AUC.
 *
 * @throws {RangeError} when the arrays do not fit each other
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

  const subjects = [...new Set(input.subjects)].sort();
  const indexOf = new Map(subjects.map((subject, index) => [subject, index]));
  const subjectIndices = input.subjects.map((subject) => indexOf.get(subject)!);
  const resamples = resampleSubjects(subjects.length, input.resamples, seed);
  const estimated = (statistic: (weights: SubjectWeights) => number | undefined): Estimate =>
    estimate(statistic, subjects.length, resamples);

  const statistics: UnitStatistics[] = [];
  const scored: ScoredLabels[] = [];
  const reports = actionUnits.map((actionUnit, unit) => {
    const known = Array.from({ length: frames }, (_, i) => i).filter((i) => occurrence[i * units + unit] !== -1);
    const { scores, positive } = scoredLabelsOf(input, unit);
    const owners = known.map((i) => subjectIndices[i]!);
    const threshold = thresholds[unit]!;
    const { f1, auc } = unitStatistics({ positive, scores, owners, threshold, subjects: subjects.length });
    statistics.push({ f1, auc });
    scored.push({ scores, positive });
    const prevalence = known.length === 0 ? 0 : positive.reduce((sum, each) => sum + each, 0) / known.length;
    return {
      actionUnit,
      frames: known.length,
      prevalence,
      threshold,
      f1: estimated(f1),
      trivialF1: trivialF1(prevalence),
      auc: estimated(auc),
    };
  });
  const leakage =
    features === undefined ? undefined : identityLeakage({ features, subjectIndices, subjects, seed, resamples });
  return {
    frames,
    subjects: subjects.length,
    resamples: input.resamples,
    seed,
    actionUnits: reports,
    meanF1: estimated((weights) => mean(statistics.map(({ f1 }) => f1(weights)))),
    meanTrivialF1: mean(reports.map((report) => report.trivialF1)) ?? 0,
    sweptF1: sweepThreshold(scored),
    macroAuc: estimated((weights) => mean(statistics.flatMap(({ auc }) => auc(weights) ?? []))),
    ...(leakage === undefined ? {} : { identityLeakage: leakage }),
  };
}

function unitStatistics(unit: {
  readonly positive: readonly number[];
  readonly scores: readonly number[];
  readonly owners: readonly number[];
  readonly threshold: number;
  readonly subjects: number;
}): UnitStatistics {
  const { positive, scores, owners, threshold } = unit;
  // Counted once a subject; a resample only adds them up.
  const bySubject = Array.from({ length: unit.subjects }, () => ({
    truePositives: 0,
    falsePositives: 0,
    falseNegatives: 0,
  }));
  for (const [i, label] of positive.entries()) {
    const counts = bySubject[owners[i]!]!;
    const present = isPresent(scores[i]!, threshold);
    if (present && label === 1) counts.truePositives++;
    else if (present) counts.falsePositives++;
    else if (label === 1) counts.falseNegatives++;
  }
  const ranking = prepareAuc(scores, positive);
  return {
    f1(weights) {
      const sum = { truePositives: 0, falsePositives: 0, falseNegatives: 0 };
      for (const [subject, counts] of bySubject.entries()) {
        const weight = weights[subject]!;
        sum.truePositives += weight * counts.truePositives;
        sum.falsePositives += weight * counts.falsePositives;
        sum.falseNegatives += weight * counts.falseNegatives;
      }
      return f1FromCounts(sum);
    },
    auc: (weights) => ranking.auc((sample) => weights[owners[sample]!]!),
  };
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}
