import { createRandom } from "@duchenne/data";
import type { Estimate } from "./report.ts";

/** What a bootstrap draws with replacement. */
export interface SamplingUnits {
  /** Subjects, for frames of one person are not independent; single frames where no subject is known. */
  readonly kind: "subjects" | "frames";
  readonly count: number;
  /** The unit of each frame. */
  readonly owners: Int32Array;
  /** Names of the subjects, sorted; none when frames are drawn. */
  readonly subjects: readonly string[];
}

/** The sampling units of some frames. @param subjects of each frame; all empty when they are not known */
export function samplingUnitsOf(subjects: readonly string[]): SamplingUnits {
  if (subjects.every((subject) => subject === "")) {
    return { kind: "frames", count: subjects.length, owners: Int32Array.from(subjects.keys()), subjects: [] };
  }
  const names = [...new Set(subjects)].sort();
  const indexOf = new Map(names.map((name, index) => [name, index]));
  const owners = Int32Array.from(subjects, (subject) => indexOf.get(subject)!);
  return { kind: "subjects", count: names.length, owners, subjects: names };
}

/** How often each unit counts in one resample. */
export type UnitWeights = Uint16Array;

/** Draws units with replacement (Efron 1979). */
export interface Bootstrap {
  readonly units: SamplingUnits;
  /**
   * Values on the whole sample with their percentile intervals.
   *
   * @param figures of the sample when units count as often as the weights say; undefined what does not exist then
   */
  estimate(figures: (weights: UnitWeights) => readonly (number | undefined)[]): Estimate[];
}

/** How a bootstrap is made. */
export interface BootstrapOptions {
  readonly resamples: number;
  readonly seed: number;
  /** What the intervals hold of the resamples; default 0.95. */
  readonly confidence?: number | undefined;
}

/**
 * Makes a bootstrap, by default of 95 % intervals. Resamples on which a figure is undefined are left out of its interval; with fewer
 * than two units there is none. Weights are drawn anew for every estimate, the same for each: those of a hundred thousand
 * frames are not kept.
 */
export function createBootstrap(
  units: SamplingUnits,
  { resamples, seed, confidence = 0.95 }: BootstrapOptions,
): Bootstrap {
  return {
    units,
    estimate(figures) {
      const weights = new Uint16Array(units.count).fill(1);
      const whole = figures(weights);
      const drawn = whole.map((): number[] => []);
      const random = createRandom([seed, "bootstrap"]);
      for (let i = 0; i < (units.count < 2 ? 0 : resamples); i++) {
        weights.fill(0);
        for (let j = 0; j < units.count; j++) weights[random.integer(units.count)]!++;
        for (const [which, value] of figures(weights).entries()) if (value !== undefined) drawn[which]!.push(value);
      }
      return whole.map((value, which) => estimateOf(value, drawn[which]!, confidence));
    },
  };
}

function estimateOf(value: number | undefined, drawn: readonly number[], confidence: number): Estimate {
  if (value === undefined) return {};
  if (drawn.length === 0) return { value };
  const sorted = [...drawn].sort((a, b) => a - b);
  const outside = (1 - confidence) / 2;
  return { value, lower: quantile(sorted, outside), upper: quantile(sorted, 1 - outside) };
}

/** Linear interpolation between order statistics. */
function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at));
}
