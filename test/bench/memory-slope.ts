/** Memory at a moment. */
export interface MemorySample {
  readonly minutes: number;
  readonly rssMb: number;
}

/** MB a minute by least squares; NaN for fewer than two moments. */
export function memorySlope(samples: readonly MemorySample[]): number {
  const mean = (pick: (sample: MemorySample) => number) =>
    samples.reduce((sum, sample) => sum + pick(sample), 0) / samples.length;
  const [x, y] = [mean(({ minutes }) => minutes), mean(({ rssMb }) => rssMb)];
  const spread = samples.reduce((sum, { minutes }) => sum + (minutes - x) ** 2, 0);
  return samples.reduce((sum, { minutes, rssMb }) => sum + (minutes - x) * (rssMb - y), 0) / spread;
}

/**
 * The slope of each third of a span. A leak rises in all of them; what a process takes once, such as pools that fill and
 * code that is compiled, rises in the first and levels off.
 */
export function slopesOfThirds(samples: readonly MemorySample[]): [number, number, number] {
  const third = Math.ceil(samples.length / 3);
  const slope = (i: number) => memorySlope(samples.slice(i * third, (i + 1) * third));
  return [slope(0), slope(1), slope(2)];
}
