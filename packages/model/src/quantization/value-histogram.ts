import { ACTIVATION_STEPS, type ActivationRange, activationScale } from "./quantize-values.ts";

/** How a range is chosen from what was seen: all of it, all but the outermost share, or what costs the least error. */
export const RANGE_METHODS = ["min_max", "percentile", "least_squares"] as const;
/** How a range is chosen from what was seen. */
export type RangeMethod = (typeof RANGE_METHODS)[number];

/** Even, so that two bins become one when the histogram widens. */
const BINS = 8192;
/** Share of the values that the percentile keeps, as ONNX Runtime's own tool. */
const KEPT_SHARE = 0.99999;
/** Ends tried on each side of a range. */
const CANDIDATES = 64;
const COUNTED_ONCE = Float64Array.of(1);

/** Counts values in bins around 0 that double in width when a larger value comes: the same whatever the order. */
export class ValueHistogram {
  #counts = new Float64Array(BINS);
  /** Bins lie in [-limit, limit); a power of two, or 0 before the first value that is not 0. */
  #limit = 0;
  #zeros = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  /**
   * @param costs how often a value counts, by its place in a row of so many: whole numbers (`inputCosts`). Default: once
   * @throws {RangeError} for a value that is not finite
   */
  add(values: Float32Array, costs: Float64Array = COUNTED_ONCE): void {
    let min = this.#min;
    let max = this.#max;
    for (const value of values) {
      if (value < min) min = value;
      if (value > max) max = value;
      if (value - value !== 0) throw new RangeError(`Expected finite values, got ${value}`);
    }
    [this.#min, this.#max] = [min, max];
    const largest = Math.max(Math.abs(min), Math.abs(max));
    if (values.length === 0) return;
    const width = costs.length;
    if (largest === 0) {
      for (let i = 0; i < values.length; i++) this.#zeros += costs[i % width]!;
      return;
    }
    this.#widen(largest);
    const counts = this.#counts;
    const perValue = BINS / (2 * this.#limit);
    for (let i = 0; i < values.length; i++) {
      counts[Math.floor(values[i]! * perValue) + BINS / 2]! += costs[i % width]!;
    }
  }

  /** The range for a layer's inputs. @throws {RangeError} when nothing was seen */
  range(method: RangeMethod): ActivationRange {
    if (this.#min > this.#max) throw new RangeError("Expected values to choose a range for, saw none");
    const seen = { min: this.#min, max: this.#max };
    if (this.#limit === 0 || method === "min_max") return seen;
    const chosen = method === "percentile" ? this.#percentile() : this.#leastSquares();
    return { min: Math.max(chosen.min, seen.min), max: Math.min(chosen.max, seen.max) };
  }

  #widen(largest: number): void {
    if (this.#limit === 0) {
      this.#limit = 2 ** (Math.floor(Math.log2(largest)) + 1);
      this.#counts[BINS / 2] = this.#zeros;
    }
    // Doubling is also the correction where log2 was rounded.
    while (this.#limit <= largest) {
      const wider = new Float64Array(BINS);
      for (let bin = 0; bin < BINS; bin++) wider[BINS / 4 + Math.floor(bin / 2)]! += this.#counts[bin]!;
      this.#counts = wider;
      this.#limit *= 2;
    }
  }

  /** The lower edge of a bin. */
  #edge(bin: number): number {
    return (bin / BINS - 0.5) * 2 * this.#limit;
  }

  #percentile(): ActivationRange {
    const total = this.#counts.reduce((sum, count) => sum + count, 0);
    const cut = (total * (1 - KEPT_SHARE)) / 2;
    let [low, high] = [0, BINS];
    let outside = this.#counts[low]!;
    while (outside <= cut) outside += this.#counts[++low]!;
    outside = this.#counts[high - 1]!;
    while (outside <= cut) outside += this.#counts[--high - 1]!;
    return { min: this.#edge(low), max: this.#edge(high) };
  }

  /** The range with the least squared error of rounding and cutting off, among ends evenly spread from what was seen to 0. */
  #leastSquares(): ActivationRange {
    const squaredError = this.#squaredError();
    const endsTo = (seen: number): number[] =>
      seen === 0 ? [0] : Array.from({ length: CANDIDATES }, (_, i) => (seen * (CANDIDATES - i)) / CANDIDATES);
    const highs = endsTo(Math.max(this.#max, 0));
    let best = { min: 0, max: 0, error: Number.POSITIVE_INFINITY };
    for (const min of endsTo(Math.min(this.#min, 0))) {
      for (const max of highs) {
        const error = squaredError({ min, max });
        if (error < best.error) best = { min, max, error };
      }
    }
    return best;
  }

  /** What quantising to a range costs, each value taken as the middle of its bin. */
  #squaredError(): (range: ActivationRange) => number {
    const middle = BINS / 2;
    // Sums of 1, v and v^2 below each edge.
    const sums = [0, 1, 2].map(() => new Float64Array(BINS + 1)) as [Float64Array, Float64Array, Float64Array];
    for (let bin = 0; bin < BINS; bin++) {
      const value = this.#edge(bin + 0.5);
      const count = this.#counts[bin]!;
      for (const [power, sum] of sums.entries()) sum[bin + 1] = sum[bin]! + count * value ** power;
    }
    const [counts, firsts, seconds] = sums;
    return (range) => {
      const { scale, zeroPoint } = activationScale(range);
      let error = 0;
      for (let from = 0, integer = 0; integer <= ACTIVATION_STEPS; integer++) {
        const value = scale * (integer - zeroPoint);
        const next = Math.round(((value + scale / 2) / this.#limit) * middle) + middle;
        const to = integer === ACTIVATION_STEPS ? BINS : Math.min(Math.max(next, from), BINS);
        const [count, first, second] = [
          counts[to]! - counts[from]!,
          firsts[to]! - firsts[from]!,
          seconds[to]! - seconds[from]!,
        ];
        error += second - 2 * value * first + value * value * count;
        from = to;
      }
      return error;
    };
  }
}
