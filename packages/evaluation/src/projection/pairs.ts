/**
 * How many pairs N points have. An array of pairs has each once: (0, 1), (0, 2), ..., (1, 2), ..., as SciPy's condensed
 * distance matrices have them.
 */
export const pairCount = (points: number): number => (points * (points - 1)) / 2;

/** The place of a pair, `first` < `second`. */
export const pairPlace = (points: number, first: number, second: number): number =>
  first * points - (first * (first + 1)) / 2 + second - first - 1;

/** Reads what one point has with all others into `row` [N]; 0 with itself. */
export function readRow(pairs: Float32Array, point: number, row: Float64Array): void {
  const points = row.length;
  for (let other = 0, place = point - 1; other < point; place += points - other - 2, other++)
    row[other] = pairs[place]!;
  row[point] = 0;
  for (let other = point + 1, place = pairPlace(points, point, other); other < points; other++, place++) {
    row[other] = pairs[place]!;
  }
}
