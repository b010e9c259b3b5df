import { fineMesh } from "../mesh/fine-mesh.ts";
import { createVisibility, rasterise } from "../raster/rasterise.ts";

/** Where the texels of the face's texture lie on the canonical face. */
export interface TexelPlaces {
  readonly size: number;
  /** [size * size * 3]: canonical position, in centimetres. Texels off the face have that of the nearest one on it. */
  readonly positions: Float32Array;
  /** Columns on the face, first and last + 1, of each row; empty rows have none. */
  readonly from: Int32Array;
  readonly to: Int32Array;
}

const known = new Map<number, TexelPlaces>();

/** The places of a texture of `size` x `size`, worked out once. */
export function texelPlaces(size: number): TexelPlaces {
  let places = known.get(size);
  if (places === undefined) {
    places = createTexelPlaces(size);
    known.set(size, places);
  }
  return places;
}

function createTexelPlaces(size: number): TexelPlaces {
  const { uvs, positions: places, subdivision } = fineMesh(1);
  const flat = new Float32Array((uvs.length / 2) * 3);
  for (let i = 0; i < uvs.length / 2; i++) {
    flat[3 * i] = uvs[2 * i]! * size;
    flat[3 * i + 1] = -uvs[2 * i + 1]! * size;
  }
  const view = createVisibility(size, size);
  const { triangles } = subdivision;
  const surface = { positions: flat, normals: flat, uvs, triangles, twoSided: true };
  rasterise(view, { distance: 1, focalX: 1, focalY: 1, centreX: 0, centreY: 0 }, surface, 0);
  const positions = new Float32Array(size * size * 3);
  const filled = new Uint8Array(size * size);
  const from = new Int32Array(size);
  const to = new Int32Array(size);
  for (let at = 0; at < size * size; at++) {
    if (view.surface[at]! < 0) continue;
    filled[at] = 1;
    const t = view.triangle[at]!;
    const shares = [view.first[at]!, view.second[at]!, 1 - view.first[at]! - view.second[at]!];
    for (let c = 0; c < 3; c++) {
      let sum = 0;
      for (let k = 0; k < 3; k++) sum += shares[k]! * places[3 * triangles[t + k]! + c]!;
      positions[3 * at + c] = sum;
    }
  }
  for (let y = 0; y < size; y++) {
    const row = filled.subarray(y * size, (y + 1) * size);
    from[y] = Math.max(row.indexOf(1), 0);
    to[y] = row.lastIndexOf(1) + 1;
  }
  spread(positions, filled, size);
  return { size, positions, from, to };
}

/** Gives texels off the face the place of a neighbour, ring by ring. */
function spread(positions: Float32Array, filled: Uint8Array, size: number): void {
  let front: number[] = [];
  for (let at = 0; at < filled.length; at++) if (filled[at] === 1) front.push(at);
  while (front.length > 0) {
    const next: number[] = [];
    for (const at of front) {
      const x = at % size;
      for (const [to, inside] of [
        [at - 1, x > 0],
        [at + 1, x < size - 1],
        [at - size, at >= size],
        [at + size, at < size * (size - 1)],
      ] as const) {
        if (!inside || filled[to] === 1) continue;
        filled[to] = 1;
        positions.copyWithin(3 * to, 3 * at, 3 * at + 3);
        next.push(to);
      }
    }
    front = next;
  }
}
