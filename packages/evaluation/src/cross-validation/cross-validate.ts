import type { BootstrapOptions } from "../bootstrap.ts";
import { trivialF1 } from "../counts.ts";
import type { FrameScores } from "../frame-scores.ts";
import { mean } from "../mean.ts";
import type { Estimate, EvaluationReport } from "../report.ts";
import { f1At } from "../sweep.ts";
import { scoredLabelsOf } from "../thresholds.ts";
import { UNIT_FIGURES } from "../unit-statistics.ts";
import {
  CROSS_VALIDATED_FIGURES,
  type CrossValidatedFigure,
  type CrossValidatedFigureName,
  type CrossValidationReport,
} from "./cross-validation-report.ts";
import { poolFolds } from "./pool-folds.ts";
import { spreadOf } from "./spread.ts";

/** The evaluation of one version on the fold that its training held out. */
export interface CrossValidationRun {
  /** From 1. */
  readonly fold: number;
  readonly seed: number;
  readonly report: EvaluationReport;
  readonly scores: FrameScores;
}

type Run = CrossValidationReport["runs"][number];

/**
 * Combines the evaluations of a cross-validation: how each figure varies over folds and seeds, and what it is on the frames
 * of all folds together, with intervals over subjects.
 *
 * @throws {RangeError} when folds and seeds are not all there once, or do not fit each other
 */
export function crossValidate(runs: readonly CrossValidationRun[], options: BootstrapOptions): CrossValidationReport {
  const seeds = [...new Set(runs.map(({ seed }) => seed))];
  const folds = runs.length === 0 ? 0 : Math.max(...runs.map(({ fold }) => fold));
  const ordered = seeds.map((seed) =>
    Array.from({ length: folds }, (_, fold) => oneOf(runs, { fold: fold + 1, seed })),
  );
  const [first] = ordered.flat();
  if (first === undefined) throw new RangeError("Expected at least one run, got none");
  const { actionUnits } = first.scores;
  for (const { scores, fold, seed } of runs) {
    if (scores.actionUnits.join() === actionUnits.join()) continue;
    throw new RangeError(
      `Expected AU ${actionUnits.join(", ")} in all runs, fold ${fold} with seed ${seed} has others`,
    );
  }
  const told = ordered.map((row) => row.map(runOf));
  const pooled = poolFolds(
    ordered.map((row) => row.map(({ scores }) => scores)),
    options,
  );
  const figure = (of: (run: Run) => number | undefined, estimate: Estimate): CrossValidatedFigure => ({
    ...spreadOf(told.map((row) => row.map(of))),
    pooled: estimate,
  });
  const figures = (
    of: (run: Run) => Partial<Record<CrossValidatedFigureName, number | undefined>>,
    estimates: Record<CrossValidatedFigureName, Estimate>,
  ) =>
    Object.fromEntries(
      CROSS_VALIDATED_FIGURES.map((name) => [name, figure((run) => of(run)[name], estimates[name])]),
    ) as Record<CrossValidatedFigureName, CrossValidatedFigure>;
  const trivial = pooled.labels.map(({ prevalence }) => trivialF1(prevalence));
  return {
    folds,
    seeds,
    frames: pooled.frames,
    subjects: pooled.sampling.subjects.length,
    intervalsOver: pooled.sampling.kind,
    resamples: options.resamples,
    seed: options.seed,
    mean: {
      ...figures((run) => run.mean, { ...pooled.mean, sweptF1: pooled.meanSweptF1 }),
      f1Micro: figure((run) => run.mean.f1Micro, pooled.f1Micro),
      trivialF1: mean(trivial) ?? 0,
    },
    actionUnits: actionUnits.map((actionUnit, unit) => ({
      actionUnit,
      ...pooled.labels[unit]!,
      trivialF1: trivial[unit]!,
      ...figures((run) => run.actionUnits[unit]!, {
        ...pooled.units[unit]!,
        sweptF1: pooled.sweptF1[unit]!,
      }),
    })),
    runs: told.flat(),
  };
}

function oneOf(runs: readonly CrossValidationRun[], { fold, seed }: Pick<CrossValidationRun, "fold" | "seed">) {
  const found = runs.filter((run) => run.fold === fold && run.seed === seed);
  if (found.length !== 1) {
    throw new RangeError(`Expected one run of fold ${fold} with seed ${seed}, got ${found.length}`);
  }
  return found[0]!;
}

/** What is told of a run alone. */
function runOf({ fold, seed, report, scores }: CrossValidationRun): Run {
  const { threshold, value: sweptF1 } = report.sweptF1;
  return {
    fold,
    seed,
    frames: report.frames,
    subjects: report.subjects,
    sweptThreshold: threshold,
    mean: {
      f1: report.meanF1.value,
      f1AtHalf: report.meanF1AtHalf.value,
      sweptF1,
      auc: report.macroAuc.value,
      averagePrecision: report.macroAveragePrecision.value,
      calibrationError: report.meanCalibrationError.value,
      brierScore: report.meanBrierScore.value,
      f1Micro: report.f1Micro.value,
    },
    actionUnits: report.actionUnits.map((unit, i) => ({
      ...(Object.fromEntries(UNIT_FIGURES.map((name) => [name, unit[name].value])) as Record<
        (typeof UNIT_FIGURES)[number],
        number | undefined
      >),
      sweptF1: f1At(scoredLabelsOf(scores, i), threshold),
    })),
    ...(report.identityLeakage !== undefined && { identityLeakage: report.identityLeakage }),
  };
}
