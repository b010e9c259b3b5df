/** The cubic's free parameter (Keys 1981), as PyTorch and OpenCV choose it. */
const A = -0.75;

/**
 * Resizes a table of position embeddings to another grid, as `torch.nn.functional.interpolate` does with mode "bicubic"
 * and align_corners false: the row of the class token is copied, those of the patches are an image of D channels.
 *
 * @param table [from * from + 1, D]
 * @param from patches a side
 * @param to patches a side wanted
 * @returns [to * to + 1, D]
 */
export function interpolatePositions(table: Float32Array, from: number, to: number): Float32Array<ArrayBuffer> {
  const dim = table.length / (from * from + 1);
  const out = new Float32Array((to * to + 1) * dim);
  out.set(table.subarray(0, dim));
  const taps = Array.from({ length: to }, (_, i) => tapsAt(i, from, to));
  for (const [row, vertical] of taps.entries()) {
    for (const [column, horizontal] of taps.entries()) {
      const at = (1 + row * to + column) * dim;
      for (let d = 0; d < dim; d++) {
        let sum = 0;
        for (const { place: y, weight: wy } of vertical) {
          for (const { place: x, weight: wx } of horizontal) sum += wy * wx * table[(1 + y * from + x) * dim + d]!;
        }
        out[at + d] = sum;
      }
    }
  }
  return out;
}

/** The four neighbours along one axis, the border's repeated outside. */
function tapsAt(i: number, from: number, to: number): { readonly place: number; readonly weight: number }[] {
  const center = ((i + 0.5) * from) / to - 0.5;
  const first = Math.floor(center);
  const t = center - first;
  const weights = [far(1 + t), near(t), near(1 - t), far(2 - t)];
  return weights.map((weight, k) => ({ place: Math.min(Math.max(first - 1 + k, 0), from - 1), weight }));
}

/** Of a neighbour at a distance of at most 1. */
const near = (x: number): number => ((A + 2) * x - (A + 3)) * x * x + 1;
/** Of a neighbour at a distance from 1 to 2. */
const far = (x: number): number => ((A * x - 5 * A) * x + 8 * A) * x - 4 * A;
