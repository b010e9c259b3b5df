import { vertexNormals } from "../raster/vertex-normals.ts";

/** A surface of rows and columns of vertices. */
export interface Grid {
  readonly positions: Float32Array;
  readonly normals: Float32Array;
  readonly uvs: Float32Array;
  readonly triangles: Uint32Array;
}

/**
 * Makes a surface from a function of its coordinates, both 0..1. It faces the viewer where u runs to the right and v
 * downwards.
 */
export function createGrid(
  columns: number,
  rows: number,
  place: (u: number, v: number) => readonly [x: number, y: number, z: number],
  uv: (u: number, v: number) => readonly [number, number] = (u, v) => [u, v],
): Grid {
  const positions = new Float32Array((columns + 1) * (rows + 1) * 3);
  const uvs = new Float32Array((columns + 1) * (rows + 1) * 2);
  const triangles = new Uint32Array(columns * rows * 6);
  let vertex = 0;
  for (let j = 0; j <= rows; j++) {
    for (let i = 0; i <= columns; i++, vertex++) {
      positions.set(place(i / columns, j / rows), 3 * vertex);
      uvs.set(uv(i / columns, j / rows), 2 * vertex);
    }
  }
  let at = 0;
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) {
      const p = j * (columns + 1) + i;
      const q = p + columns + 1;
      triangles.set([p, q, p + 1, p + 1, q, q + 1], at);
      at += 6;
    }
  }
  return { positions, normals: vertexNormals(positions, triangles), uvs, triangles };
}
