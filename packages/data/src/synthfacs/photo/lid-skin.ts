import { CANONICAL_VERTICES } from "../canonical-face.ts";
import { LEFT_EYE, RIGHT_EYE } from "../mesh/landmark-loops.ts";

/** How far the skin of a closing lid is taken from beside its edge, as a share of the way to its fold. */
const PULLED = 0.12;

/**
 * Takes the edges of closing lids from a little further outside: landmarks are a pixel off here and there, and the white
 * of the eye must not be drawn out into skin.
 *
 * @param pixels [base vertices * 2]
 * @param closing how far each upper lid has come down, left and right, 0..1
 */
export function withLidsPulled(pixels: Float32Array, closing: readonly [number, number]): Float32Array {
  const pulled = pixels.slice();
  for (const [k, { upperEdge, upperFold, lowerEdge, lowerFold }] of [LEFT_EYE, RIGHT_EYE].entries()) {
    const share = PULLED * Math.min(Math.max(3 * closing[k]!, 0), 1);
    for (const [edge, fold] of [
      [upperEdge, upperFold],
      [lowerEdge, lowerFold],
    ] as const) {
      for (const [i, vertex] of edge.entries()) {
        for (let c = 0; c < 2; c++) {
          const from = pixels[2 * vertex + c]!;
          pulled[2 * vertex + c] = from + share * (pixels[2 * fold[i]! + c]! - from);
        }
      }
    }
  }
  return pulled;
}

/** 1 at the edge of the upper lids, 0 elsewhere: where lashes grow, [base vertices]. */
export function lashLine(baseCount: number): Float32Array {
  const line = new Float32Array(baseCount);
  for (const { upperEdge } of [LEFT_EYE, RIGHT_EYE]) for (const vertex of upperEdge) line[vertex] = 1;
  return line;
}

/** 1 where the face can fold, 0 at its outline and around it, [base vertices]. */
export function foldingSkin(baseCount: number, outline: readonly number[]): Float32Array {
  const share = new Float32Array(baseCount);
  share.fill(1, 0, CANONICAL_VERTICES);
  for (const vertex of outline) share[vertex] = 0;
  return share;
}
