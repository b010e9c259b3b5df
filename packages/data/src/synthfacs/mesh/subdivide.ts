/** A triangle mesh whose fine vertices are weighted means of base vertices. */
export interface Subdivision {
  readonly vertexCount: number;
  /** [3 * triangles] */
  readonly triangles: Uint32Array;
  /** Row i of the matrix is `columns[offsets[i]..offsets[i + 1]]` with `weights`. */
  readonly offsets: Uint32Array;
  readonly columns: Uint32Array;
  readonly weights: Float32Array;
}

type Row = ReadonlyMap<number, number>;

/**
 * Subdivides a mesh `levels` times (Loop 1987; at open edges the cubic B-spline rules of Hoppe et al. 1994). The result is
 * linear in the positions, so one subdivision serves every face.
 *
 * @param corners vertices that stay where they are, such as the corners of the eyes
 */
export function subdivide(
  vertexCount: number,
  triangles: Uint32Array,
  levels: number,
  corners: ReadonlySet<number>,
): Subdivision {
  let rows: Row[] = Array.from({ length: vertexCount }, (_, i) => new Map([[i, 1]]));
  let current = triangles;
  for (let level = 0; level < levels; level++) ({ rows, triangles: current } = refine(rows, current, corners));
  const entries = rows.reduce((sum, row) => sum + row.size, 0);
  const offsets = new Uint32Array(rows.length + 1);
  const columns = new Uint32Array(entries);
  const weights = new Float32Array(entries);
  let at = 0;
  for (const [i, row] of rows.entries()) {
    for (const [column, weight] of row) {
      columns[at] = column;
      weights[at++] = weight;
    }
    offsets[i + 1] = at;
  }
  return { vertexCount: rows.length, triangles: current, offsets, columns, weights };
}

/** Values of the fine vertices from those of the base ones, `channels` each. */
export function interpolate(mesh: Subdivision, base: Float32Array, channels: number, out?: Float32Array): Float32Array {
  const { vertexCount, offsets, columns, weights } = mesh;
  const fine = out ?? new Float32Array(vertexCount * channels);
  for (let i = 0; i < vertexCount; i++) {
    const end = offsets[i + 1]!;
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      for (let k = offsets[i]!; k < end; k++) sum += weights[k]! * base[columns[k]! * channels + c]!;
      fine[i * channels + c] = sum;
    }
  }
  return fine;
}

interface Edge {
  readonly from: number;
  readonly to: number;
  readonly opposite: number[];
  readonly middle: number;
}

function refine(
  rows: readonly Row[],
  triangles: Uint32Array,
  corners: ReadonlySet<number>,
): { rows: Row[]; triangles: Uint32Array } {
  const count = rows.length;
  const edges = new Map<number, Edge>();
  const edge = (p: number, q: number) => edges.get(Math.min(p, q) * count + Math.max(p, q))!;
  for (let t = 0; t < triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const p = triangles[t + k]!;
      const q = triangles[t + ((k + 1) % 3)]!;
      const key = Math.min(p, q) * count + Math.max(p, q);
      const opposite = triangles[t + ((k + 2) % 3)]!;
      const known = edges.get(key);
      if (known) known.opposite.push(opposite);
      else edges.set(key, { from: p, to: q, opposite: [opposite], middle: count + edges.size });
    }
  }
  const neighbours = Array.from({ length: count }, (): number[] => []);
  const open = Array.from({ length: count }, (): number[] => []);
  for (const { from, to, opposite } of edges.values()) {
    neighbours[from]!.push(to);
    neighbours[to]!.push(from);
    if (opposite.length === 1) {
      open[from]!.push(to);
      open[to]!.push(from);
    }
  }
  const mean = (parts: readonly (readonly [number, number])[]): Row => {
    const row = new Map<number, number>();
    for (const [vertex, weight] of parts) {
      for (const [column, share] of rows[vertex]!) row.set(column, (row.get(column) ?? 0) + weight * share);
    }
    return row;
  };
  const fine: Row[] = rows.map((row, i) => {
    const around = neighbours[i]!;
    if (corners.has(i) || around.length === 0) return row;
    if (open[i]!.length === 2) return mean([[i, 0.75], ...open[i]!.map((each) => [each, 0.125] as const)]);
    const beta = around.length === 3 ? 3 / 16 : 3 / (8 * around.length);
    return mean([[i, 1 - around.length * beta], ...around.map((each) => [each, beta] as const)]);
  });
  for (const { from, to, opposite } of edges.values()) {
    fine.push(
      opposite.length === 2
        ? mean([[from, 3 / 8], [to, 3 / 8], [opposite[0]!, 1 / 8], [opposite[1]!, 1 / 8]]) // biome-ignore format: a stencil
        : mean([[from, 0.5], [to, 0.5]]), // biome-ignore format: a stencil
    );
  }
  const split = new Uint32Array(triangles.length * 4);
  for (let t = 0; t < triangles.length; t += 3) {
    const [p, q, r] = [triangles[t]!, triangles[t + 1]!, triangles[t + 2]!];
    const [pq, qr, rp] = [edge(p, q).middle, edge(q, r).middle, edge(r, p).middle];
    split.set([p, pq, rp, pq, q, qr, rp, qr, r, pq, qr, rp], t * 4);
  }
  return { rows: fine, triangles: split };
}
