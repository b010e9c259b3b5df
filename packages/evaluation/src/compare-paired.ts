import { type BootstrapOptions, createBootstrap, samplingUnitsOf } from "./bootstrap.ts";
import { mean } from "./mean.ts";
import { prepareRanking } from "./ranking.ts";
import type { Estimate } from "./report.ts";
import { type ScoredUnits, scoredLabelsOf } from "./thresholds.ts";

/** A figure of some frames when each counts as often as told; undefined when it does not exist then. */
export type WeightedFigure = (weightOf: (frame: number) => number) => number | undefined;

/** The same of several figures at once, which spares going through the frames for each. */
export type WeightedFigures = (weightOf: (frame: number) => number) => readonly (number | undefined)[];

/** Two models on the same frames. */
export interface PairedRun<Figure = WeightedFigure> {
  /** Of each frame. */
  readonly subjects: readonly string[];
  readonly before: Figure;
  readonly after: Figure;
}

/** A figure of two models, and how it changes from one to the other. */
export interface PairedComparison {
  readonly before: Estimate;
  readonly after: Estimate;
  readonly change: Estimate;
}

/**
 * Compares two models on the same frames: intervals, by default of 95 %, of a bootstrap that draws the same subjects for both, so that
 * what makes a subject hard does not count as a difference. Of several runs (seeds, folds) the mean is compared; a subject
 * that is in several of them is drawn for all at once.
 */
export function comparePaired(runs: readonly PairedRun[], options: BootstrapOptions): PairedComparison {
  const alone = runs.map(({ subjects, before, after }) => ({
    subjects,
    before: (weightOf: (frame: number) => number) => [before(weightOf)],
    after: (weightOf: (frame: number) => number) => [after(weightOf)],
  }));
  return comparePairedFigures(alone, options)[0]!;
}

/** Compares several figures of two models, as `comparePaired` does each of them, over the same resamples. */
export function comparePairedFigures(
  runs: readonly PairedRun<WeightedFigures>[],
  options: BootstrapOptions,
): PairedComparison[] {
  const bootstrap = createBootstrap(samplingUnitsOf(runs.flatMap(({ subjects }) => subjects)), options);
  const { owners } = bootstrap.units;
  let frames = 0;
  const placed = runs.map((run) => {
    const first = frames;
    frames += run.subjects.length;
    return { ...run, first };
  });
  const estimates = bootstrap.estimate((weights) => {
    const figures = placed.map(({ first, before, after }) => {
      const weightOf = (frame: number) => weights[owners[first + frame]!]!;
      return { before: before(weightOf), after: after(weightOf) };
    });
    return figures[0]!.before.flatMap((_, which) => {
      const before = figures.map((run) => run.before[which]);
      const after = figures.map((run) => run.after[which]);
      if ([...before, ...after].includes(undefined)) return [undefined, undefined, undefined];
      const [from, to] = [mean(before as number[])!, mean(after as number[])!];
      return [from, to, to - from];
    });
  });
  return Array.from({ length: estimates.length / 3 }, (_, which) => {
    const [before, after, change] = estimates.slice(3 * which) as [Estimate, Estimate, Estimate];
    return { before, after, change };
  });
}

/** The mean AUC over the action units; those of one class are left out. */
export function macroAucOf(scored: ScoredUnits): WeightedFigure {
  const units = scored.actionUnits.map((_, unit) => {
    const { frames, scores, positive } = scoredLabelsOf(scored, unit);
    return { frames, ranking: prepareRanking(scores, positive) };
  });
  return (weightOf) =>
    mean(units.flatMap(({ frames, ranking }) => ranking.figures((sample) => weightOf(frames[sample]!)).auc ?? []));
}

/** The share of the frames that are right. @param isRight 1 or 0 a frame */
export function accuracyOf(isRight: Uint8Array): WeightedFigure {
  return (weightOf) => {
    let right = 0;
    let all = 0;
    for (const [frame, each] of isRight.entries()) {
      const weight = weightOf(frame);
      right += weight * each;
      all += weight;
    }
    return all === 0 ? undefined : right / all;
  };
}
