import { BLENDSHAPE_NAMES, type BlendshapeName } from "./blendshape-names.ts";

/** How one action unit is read from blendshapes. */
export interface BlendshapeActionUnit {
  /** The FACS number. */
  readonly actionUnit: number;
  /** The blendshape of the whole face, or those of the person's left and right. */
  readonly source: BlendshapeName | { readonly left: BlendshapeName; readonly right: BlendshapeName };
  /** An action unit is present from this activation on. */
  readonly threshold: number;
}

/** Where the thresholds come from. */
export const BLENDSHAPE_THRESHOLD_NOTE =
  "Half of the blendshape's range, fixed by hand before any photograph was scored; not fitted to data.";

/**
 * Action units read from MediaPipe's blendshapes. The blendshapes carry the names and the meaning of Apple's ARKit blend
 * shapes (ARFaceAnchor.BlendShapeLocation), whose descriptions name the same movement as the FACS manual does: raising
 * the inner brows (AU1), raising an outer brow (AU2), lowering the brow (AU4), widening the eye (AU5), pulling a mouth
 * corner up (AU12), pulling it down (AU15), opening the jaw (AU26), closing the eyelid (AU43).
 *
 * Left out for want of credible evidence: AU6 and AU7 (cheekSquint stays near 0 in MediaPipe's model, and eyeSquint
 * answers both smiles and narrowed lids), AU25 (no blendshape is lips apart with the jaw closed), and the finer
 * movements of nose, lips and chin (9, 10, 14, 17, 18, 20, 22 to 24, 28).
 */
export const BLENDSHAPE_ACTION_UNITS: readonly BlendshapeActionUnit[] = [
  { actionUnit: 1, source: "browInnerUp", threshold: 0.5 },
  { actionUnit: 2, source: { left: "browOuterUpLeft", right: "browOuterUpRight" }, threshold: 0.5 },
  { actionUnit: 4, source: { left: "browDownLeft", right: "browDownRight" }, threshold: 0.5 },
  { actionUnit: 5, source: { left: "eyeWideLeft", right: "eyeWideRight" }, threshold: 0.5 },
  { actionUnit: 12, source: { left: "mouthSmileLeft", right: "mouthSmileRight" }, threshold: 0.5 },
  { actionUnit: 15, source: { left: "mouthFrownLeft", right: "mouthFrownRight" }, threshold: 0.5 },
  { actionUnit: 26, source: "jawOpen", threshold: 0.5 },
  { actionUnit: 43, source: { left: "eyeBlinkLeft", right: "eyeBlinkRight" }, threshold: 0.5 },
];

/** What the built-in model is and is not. */
export const BLENDSHAPE_AU_DESCRIPTION =
  "Action unit activations derived from the blendshapes of MediaPipe's face landmarker (Google, Apache-2.0). " +
  "Activations in 0..1, neither probabilities nor FACS intensities; no FACS certification.";

/** Side of the face, from the person's own point of view. */
export type Side = "left" | "right";

/** The activation of one action unit, of the whole face or of one side. */
export interface ActionUnitActivation {
  readonly actionUnit: number;
  readonly side?: Side;
  readonly score: number;
  readonly threshold: number;
}

/**
 * Reads action units from the 52 blendshapes. The whole face scores the stronger side: FACS codes an action unit that
 * occurs on one side only. Whole-face scores come first, in the table's order, then left and right.
 */
export function actionUnitsFromBlendshapes(blendshapes: ArrayLike<number>): ActionUnitActivation[] {
  if (blendshapes.length !== BLENDSHAPE_NAMES.length) {
    throw new RangeError(`Expected ${BLENDSHAPE_NAMES.length} blendshapes, got ${blendshapes.length}`);
  }
  const value = (name: BlendshapeName) => blendshapes[BLENDSHAPE_NAMES.indexOf(name)]!;
  const whole: ActionUnitActivation[] = [];
  const sides: ActionUnitActivation[] = [];
  for (const { actionUnit, source, threshold } of BLENDSHAPE_ACTION_UNITS) {
    if (typeof source === "string") {
      whole.push({ actionUnit, score: value(source), threshold });
      continue;
    }
    const left = value(source.left);
    const right = value(source.right);
    whole.push({ actionUnit, score: Math.max(left, right), threshold });
    sides.push(
      { actionUnit, side: "left", score: left, threshold },
      { actionUnit, side: "right", score: right, threshold },
    );
  }
  return [...whole, ...sides];
}
