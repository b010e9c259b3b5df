import { mean } from "../mean.ts";

/** How a figure varies over runs. */
export interface Spread {
  readonly mean?: number;
  readonly foldDeviation?: number;
  readonly seedDeviation?: number;
}

/**
 * The mean of a figure over runs, and what folds and seeds add to its noise: the standard deviation over folds of their
 * means over seeds, and the other way round.
 *
 * @param figures by seed, then by fold; undefined where a run does not have it
 */
export function spreadOf(figures: readonly (readonly (number | undefined)[])[]): Spread {
  const seeds = figures.map(defined);
  const folds = (figures[0] ?? []).map((_, fold) => defined(figures.map((seed) => seed[fold])));
  const parts = {
    mean: mean(seeds.flat()),
    foldDeviation: deviation(folds.flatMap((values) => mean(values) ?? [])),
    seedDeviation: deviation(seeds.flatMap((values) => mean(values) ?? [])),
  };
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
}

const defined = (values: readonly (number | undefined)[]): number[] => values.flatMap((value) => value ?? []);

/** The sample standard deviation; undefined of fewer than two. */
function deviation(values: readonly number[]): number | undefined {
  if (values.length < 2) return undefined;
  const centre = mean(values)!;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}
