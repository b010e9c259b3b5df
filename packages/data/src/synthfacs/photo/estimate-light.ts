import type { Colour } from "../colour.ts";
import { triple } from "../triple.ts";
import { type LinearImage, sampleImage } from "./linear-image.ts";

/** How a photograph's face is lit: brightness of its skin is `around + n . towards` for a unit normal n, 1 on average. */
export interface FaceLight {
  readonly around: number;
  /** To the picture's right, up, to the viewer. */
  readonly towards: readonly [x: number, y: number, z: number];
  /** Mean colour of the skin. */
  readonly skin: Colour;
}

/** Brightness below this share of the average is not believed: it is the skin that is dark. */
const DARKEST = 0.25;

/** Brightness of skin with a normal, 1 on average. */
export function brightnessOf({ around, towards }: FaceLight, x: number, y: number, z: number): number {
  return Math.max(around + towards[0] * x + towards[1] * y + towards[2] * z, DARKEST);
}

/**
 * Estimates the light from how the skin's brightness goes with its normals: least squares over the vertices that face the
 * camera, as if all skin had one colour (the first order of Ramamoorthi and Hanrahan 2001).
 *
 * @param places [vertices * 2] in pixels
 * @param normals [vertices * 3]
 * @param vertices those that are skin
 */
export function estimateLight(
  photograph: LinearImage,
  places: Float32Array,
  normals: Float32Array,
  vertices: readonly number[],
): FaceLight {
  const colour = new Float32Array(3);
  const skin = [0, 0, 0];
  const rows: { readonly row: readonly number[]; readonly light: number }[] = [];
  for (const vertex of vertices) {
    const [x, y, z] = triple((c) => normals[3 * vertex + c]!);
    if (z < 0.3) continue;
    sampleImage(photograph, places[2 * vertex]!, places[2 * vertex + 1]!, colour);
    for (let c = 0; c < 3; c++) skin[c] = skin[c]! + colour[c]!;
    rows.push({ row: [1, x, y, z], light: 0.2126 * colour[0]! + 0.7152 * colour[1]! + 0.0722 * colour[2]! });
  }
  const mean = rows.reduce((sum, { light }) => sum + light, 0) / rows.length;
  // A little ridge: a face seen from the front hardly tells "around" from "to the viewer".
  const matrix = Array.from({ length: 4 }, (_, a) =>
    Array.from({ length: 5 }, (_, b) =>
      rows.reduce(
        (sum, { row, light }) => sum + (row[a]! * (b < 4 ? row[b]! : light / mean)) / rows.length,
        a === b && a > 0 ? 0.02 : 0,
      ),
    ),
  );
  const [around, x, y, z] = solved(matrix) as [number, number, number, number];
  return { around, towards: [x, y, z], skin: triple((c) => skin[c]! / rows.length) };
}

/** Solves a positive definite system; the last column is the right side. */
function solved(matrix: number[][]): number[] {
  const count = matrix.length;
  for (let a = 0; a < count; a++) {
    for (let b = 0; b < count; b++) {
      if (a === b) continue;
      const factor = matrix[b]![a]! / matrix[a]![a]!;
      for (let c = a; c <= count; c++) matrix[b]![c] = matrix[b]![c]! - factor * matrix[a]![c]!;
    }
  }
  return matrix.map((row, a) => row[count]! / row[a]!);
}
