import { displacementField } from "./displacement-field.ts";
import { headMesh } from "./head-mesh.ts";
import { LEFT_BROW_LOWER, LEFT_BROW_UPPER, LEFT_EYE, RIGHT_EYE } from "./landmark-loops.ts";

/** How far the upper lid's edge and its fold stand above the canonical ones, in centimetres: those are half closed. */
const LID_RAISE = 0.34;
const FOLD_RAISE = 0.27;
const LOWER_LID_DROP = 0.15;
/** How far brows rest below the canonical ones, in centimetres: those look a little raised. */
const BROW_DROP = 0.38;

/** The canonical head with its eyes open and its brows at rest, [base vertices * 3]. */
export function restingFace(): Float32Array {
  const positions = headMesh().positions.slice();
  const brows = displacementField(
    [{ at: [...LEFT_BROW_LOWER, ...LEFT_BROW_UPPER], reach: [0.8, 0.5], move: [0, -BROW_DROP, 0] }],
    { side: "both" },
  );
  for (const [i, way] of brows.entries()) positions[i] = positions[i]! + way;
  for (const { upperEdge, upperFold, lowerEdge } of [LEFT_EYE, RIGHT_EYE]) {
    for (const [i, vertex] of upperEdge.entries()) {
      // Less towards the corners, which stay.
      const share = Math.sin((Math.PI * (i + 1)) / (upperEdge.length + 1)) ** 0.7;
      positions[3 * vertex + 1] = positions[3 * vertex + 1]! + share * LID_RAISE;
      positions[3 * upperFold[i]! + 1] = positions[3 * upperFold[i]! + 1]! + share * FOLD_RAISE;
      positions[3 * lowerEdge[i]! + 1] = positions[3 * lowerEdge[i]! + 1]! - share * LOWER_LID_DROP;
    }
  }
  return positions;
}
