import { displacementField, type Push, smoothstep } from "./displacement-field.ts";
import { headMesh } from "./head-mesh.ts";
import { restingFace } from "./resting-face.ts";
import { sealLips } from "./seal-lips.ts";

/** A way in which heads differ; its field is what one standard deviation does. */
type Mode = { readonly pushes: readonly Push[] } | { readonly warp: (x: number, y: number, z: number) => Vector };
type Vector = readonly [x: number, y: number, z: number];

const EYE = [263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466];

const MODES = {
  faceWidth: { warp: (x) => [0.035 * x, 0, 0] },
  faceLength: { warp: (_, y) => [0, 0.035 * y, 0] },
  jawWidth: { warp: (x, y) => [0.05 * x * smoothstep(-0.5, -7, y), 0, 0] },
  jawLength: { warp: (_, y) => [0, -0.35 * smoothstep(-4.8, -8.5, y), 0] },
  chinForward: { pushes: [{ at: [152, 175, 199, 200], reach: [1.8, 1.6], move: [0, 0, 0.35] }] },
  chinWidth: { pushes: [{ at: [379, 378, 400, 365], reach: [1.6, 1.5], move: [0.3, 0, 0] }] },
  cheekbones: { pushes: [{ at: [352, 346, 280, 345], reach: [1.7, 1.4], move: [0.22, 0.05, 0.2] }] },
  cheekFullness: { pushes: [{ at: [427, 411, 434, 416], reach: [1.8, 1.9], move: [0.3, 0, 0.22] }] },
  noseWidth: { pushes: [{ at: [294, 278, 358, 327, 331, 360], reach: [0.6, 0.9], move: [0.17, 0, 0] }] },
  noseLength: { pushes: [{ at: [1, 4, 19, 94, 2, 294, 278, 327], reach: [0.9, 0.9], move: [0, -0.2, 0] }] },
  noseBridge: { pushes: [{ at: [168, 6, 197, 195], reach: [0.7, 1.0], move: [0, 0, 0.22] }] },
  noseTip: { pushes: [{ at: [1, 4, 5, 19], reach: [0.8, 0.8], move: [0, 0.12, 0.22] }] },
  eyeSpacing: { pushes: [{ at: [...EYE, 259, 253], reach: [1.3, 0.9], move: [0.13, 0, 0] }] },
  eyeWidth: {
    pushes: [
      { at: [263, 466, 249, 359, 467], reach: [0.6, 0.5], move: [0.12, 0, -0.05] },
      { at: [362, 398, 382], reach: [0.4, 0.4], move: [-0.04, 0, 0] },
    ],
  },
  eyeOpening: {
    pushes: [
      { at: [388, 387, 386, 385, 384], reach: [0.5, 0.16], move: [0, 0.07, 0] },
      { at: [390, 373, 374, 380, 381], reach: [0.5, 0.16], move: [0, -0.05, 0] },
    ],
  },
  eyeTilt: { pushes: [{ at: [263, 466, 249, 359, 467, 255], reach: [0.8, 0.6], move: [0, 0.12, 0] }] },
  browHeight: {
    pushes: [{ at: [285, 295, 282, 283, 276, 336, 296, 334, 293, 300], reach: [0.8, 0.7], move: [0, 0.16, 0] }],
  },
  browRidge: { pushes: [{ at: [285, 295, 282, 283, 9], reach: [1.0, 0.7], move: [0, -0.03, 0.2] }] },
  browTilt: { pushes: [{ at: [283, 293, 276, 300], reach: [0.9, 0.7], move: [0, 0.14, 0] }] },
  upperLip: { pushes: [{ at: [0, 267, 269, 11], reach: [0.8, 0.3], move: [0, 0.13, 0.08] }] },
  lowerLip: { pushes: [{ at: [17, 314, 405, 16], reach: [0.9, 0.35], move: [0, -0.13, 0.1] }] },
  mouthWidth: { pushes: [{ at: [291, 308, 409, 375, 306], reach: [0.8, 0.8], move: [0.2, 0, -0.1] }] },
  mouthHeight: { warp: (x, y) => [0, 0.14 * Math.exp(-(((y + 4.3) / 1.6) ** 2)) * Math.exp(-((x / 3.5) ** 2)), 0] },
  forehead: {
    warp: (_, y, z) => [0, 0.3 * smoothstep(5, 8.5, y), 0.15 * smoothstep(5, 8.5, y) * smoothstep(-2, 3, z)],
  },
} as const satisfies Record<string, Mode>;

/** A name of a way in which heads differ. */
export type IdentityMode = keyof typeof MODES;
/** The ways in which heads differ, in the order of a subject's shape. */
export const IDENTITY_MODES = Object.keys(MODES) as readonly IdentityMode[];

let fields: readonly Float32Array[] | undefined;

/**
 * The head of a shape: canonical positions plus coefficients times fields, [base vertices * 3].
 *
 * @param shape a standard normal coefficient for each of IDENTITY_MODES
 */
export function headOfShape(shape: readonly number[]): Float32Array {
  fields ??= IDENTITY_MODES.map((name) => fieldOf(MODES[name]));
  const positions = restingFace();
  for (const [k, field] of fields.entries()) {
    const coefficient = shape[k] ?? 0;
    for (let i = 0; i < field.length; i++) positions[i] = positions[i]! + coefficient * field[i]!;
  }
  sealLips(positions, 1);
  return positions;
}

function fieldOf(mode: Mode): Float32Array {
  if ("pushes" in mode) return displacementField(mode.pushes, { side: "both" });
  const { positions, baseCount } = headMesh();
  const field = new Float32Array(baseCount * 3);
  for (let i = 0; i < baseCount; i++) {
    field.set(mode.warp(positions[3 * i]!, positions[3 * i + 1]!, positions[3 * i + 2]!), 3 * i);
  }
  return field;
}
