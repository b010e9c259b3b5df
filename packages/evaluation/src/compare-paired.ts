import { createBootstrap, samplingUnitsOf } from "./bootstrap.ts";
import { mean } from "./mean.ts";
import { prepareRanking } from "./ranking.ts";
import type { Estimate } from "./report.ts";
import { type ScoredUnits, scoredLabelsOf } from "./thresholds.ts";

/** A figure of some frames when each counts as often as told; undefined when it does not exist then. */
export type WeightedFigure = (weightOf: (frame: number) => number) => number | undefined;

/** Two models on the same frames. */
export interface PairedRun {
  /** Of each frame. */
  readonly subjects: readonly string[];
  readonly before: WeightedFigure;
  readonly after: WeightedFigure;
}

/** A figure of two models, and how it changes from one to the other. */
export interface PairedComparison {
  readonly before: Estimate;
  readonly after: Estimate;
  readonly change: Estimate;
}

/**
 * Compares two models on the same frames: 95 % intervals of a bootstrap that draws the same subjects for both, so that
 * what makes a subject hard does not count as a difference. Of several runs (seeds, folds) the mean is compared; a subject
 * that is in several of them is drawn for all at once.
 */
export function comparePaired(
  runs: readonly PairedRun[],
  options: { readonly resamples: number; readonly seed: number },
): PairedComparison {
  const bootstrap = createBootstrap(samplingUnitsOf(runs.flatMap(({ subjects }) => subjects)), options);
  const { owners } = bootstrap.units;
  let frames = 0;
  const placed = runs.map((run) => {
    const first = frames;
    frames += run.subjects.length;
    return { ...run, first };
  });
  const [before, after, change] = bootstrap.estimate((weights) => {
    const figures = placed.map(({ first, before, after }) => {
      const weightOf = (frame: number) => weights[owners[first + frame]!]!;
      return { before: before(weightOf), after: after(weightOf) };
    });
    const isDefined = figures.every((run) => run.before !== undefined && run.after !== undefined);
    if (!isDefined) return [undefined, undefined, undefined];
    const [from, to] = [mean(figures.map((run) => run.before!))!, mean(figures.map((run) => run.after!))!];
    return [from, to, to - from];
  }) as [Estimate, Estimate, Estimate];
  return { before, after, change };
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
