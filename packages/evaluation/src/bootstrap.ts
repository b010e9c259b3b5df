import { createRandom } from "@duchenne/data";
import type { Estimate } from "./report.ts";

/** How often each subject counts in one resample. */
export type SubjectWeights = Uint16Array;

/**
 * Draws subjects with replacement (Efron 1979): frames of one person are not independent, so whole subjects are drawn.
 *
 * @returns weights by subject index, one array a resample
 */
export function resampleSubjects(subjects: number, resamples: number, seed: number): SubjectWeights[] {
  const random = createRandom([seed, "bootstrap"]);
  return Array.from({ length: resamples }, () => {
    const weights = new Uint16Array(subjects);
    for (let i = 0; i < subjects; i++) weights[random.integer(subjects)]!++;
    return weights;
  });
}

/**
 * A statistic on the whole sample and its percentile interval. Resamples on which it is undefined are left out; with
 * fewer than two subjects there is no interval.
 */
export function estimate(
  statistic: (weights: SubjectWeights) => number | undefined,
  subjects: number,
  resamples: readonly SubjectWeights[],
): Estimate {
  const value = statistic(new Uint16Array(subjects).fill(1));
  if (value === undefined) return {};
  const drawn = subjects < 2 ? [] : resamples.flatMap((weights) => statistic(weights) ?? []).sort((a, b) => a - b);
  if (drawn.length === 0) return { value };
  return { value, lower: quantile(drawn, 0.025), upper: quantile(drawn, 0.975) };
}

/** Linear interpolation between order statistics. */
function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at));
}
