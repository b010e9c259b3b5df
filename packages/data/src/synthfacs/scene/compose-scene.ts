import { CANONICAL_VERTICES } from "../canonical-face.ts";
import { combineActionUnits } from "../expression/combine-action-units.ts";
import { poseFace } from "../expression/pose-face.ts";
import type { SyntheticFrame } from "../frame.ts";
import { fineMesh, type Levels } from "../mesh/fine-mesh.ts";
import { vertexNormals } from "../raster/vertex-normals.ts";
import { reliefOf } from "../skin/furrow-maps.ts";
import { furrowsOf } from "../skin/furrows-of.ts";
import { SKIN_TEXTURE_SIZE } from "../skin/skin-texture.ts";
import { SYNTHFACS_ACTION_UNITS } from "../subject.ts";
import { eyeSolids } from "./eyes.ts";
import { mouthSolids } from "./mouth.ts";
import { SKIN_WRAP, type Solid } from "./solid.ts";
import type { SubjectModel } from "./subject-model.ts";

/** Landmarks of MediaPipe's model: the mesh and five for each iris, the right one first. */
export const LANDMARKS = CANONICAL_VERTICES + 10;
/** Radius of an iris, as a share of the eyeball's. */
const IRIS = 0.41;

/** A person in a frame, in the head's own space. */
export interface Scene {
  readonly solids: readonly Solid[];
  /** [478 * 3] */
  readonly landmarks: Float32Array;
}

/** Puts an expression on a person. */
export function composeScene(model: SubjectModel, frame: SyntheticFrame, levels: Levels): Scene {
  const { subject, head, eyeballs, skin } = model;
  const intensities = (side: readonly number[]) =>
    new Map(SYNTHFACS_ACTION_UNITS.map((number, i) => [number, side[i]!]));
  const left = combineActionUnits(intensities(frame.left));
  const right = combineActionUnits(intensities(frame.right));
  const { base, fine } = poseFace(head, eyeballs, { left, right }, levels);
  const mesh = fineMesh(levels);
  const relief = reliefOf(furrowsOf(subject, intensities(frame.left), intensities(frame.right)));
  const { colours, gloss } = skin;
  const size = SKIN_TEXTURE_SIZE;
  const face: Solid = {
    surface: {
      positions: fine,
      normals: vertexNormals(fine, mesh.subdivision.triangles),
      uvs: mesh.uvs,
      triangles: mesh.subdivision.triangles,
      twoSided: false,
    },
    castsShadow: true,
    turnsWith: "head",
    material: {
      exponent: 14,
      wrap: SKIN_WRAP,
      relief,
      paint(u, v, out) {
        const x = Math.min(Math.max(u * size - 0.5, 0), size - 1.001);
        const y = Math.min(Math.max(v * size - 0.5, 0), size - 1.001);
        const left = x | 0;
        const top = y | 0;
        const fx = x - left;
        const fy = y - top;
        const at = top * size + left;
        const p = (1 - fx) * (1 - fy);
        const q = fx * (1 - fy);
        const r = (1 - fx) * fy;
        const s = fx * fy;
        for (let c = 0; c < 3; c++) {
          out[c] =
            p * colours[3 * at + c]! +
            q * colours[3 * at + 3 + c]! +
            r * colours[3 * (at + size) + c]! +
            s * colours[3 * (at + size) + 3 + c]!;
        }
        out[3] = gloss[at]!;
      },
    },
  };
  const lashes = subject.makeUp === undefined ? 0.22 : 0.26 + 0.2 * subject.makeUp.strength;
  // Eyes mostly stay on the camera when the head turns.
  const gaze = [lookAt(frame.gaze[0] - 0.6 * frame.yaw, 24), lookAt(frame.gaze[1] - 0.6 * frame.pitch, 14)] as const;
  const look = { iris: subject.iris, skin: skin.tone, lashes, seed: subject.textureSeed, gaze };
  const lids = { positions: fine, canonical: mesh.positions };
  const lip = 3 * 13;
  // Lips that roll in take their teeth for granted: the arch never stands before them.
  const front = Math.min(
    ...[13, 82, 312, 80, 310].map((landmark) => base[3 * landmark + 2]! - head[3 * landmark + 2]!),
    0,
  );
  return {
    solids: [
      face,
      ...eyeSolids(eyeballs[0], { ...lids, loop: mesh.leftEyeLoop }, look),
      ...eyeSolids(eyeballs[1], { ...lids, loop: mesh.rightEyeLoop }, look),
      ...mouthSolids(mesh.mouthLoop, fine, {
        lips: subject.lips,
        teeth: subject.age,
        line: head[lip + 1]!,
        front: head[lip + 2]! + front,
        halfWidth: head[3 * 308]!,
        jaw: 0.5 * (left.jaw + right.jaw),
      }),
      ...model.solids,
    ],
    landmarks: landmarksOf(base, model, gaze),
  };
}

function landmarksOf(base: Float32Array, { eyeballs }: SubjectModel, gaze: readonly [number, number]): Float32Array {
  const landmarks = new Float32Array(LANDMARKS * 3);
  landmarks.set(base.subarray(0, 3 * CANONICAL_VERTICES));
  for (const [k, { centre, radius }] of [eyeballs[1], eyeballs[0]].entries()) {
    const around = [[0, 0], [IRIS, 0], [0, IRIS], [-IRIS, 0], [0, -IRIS]] as const; // biome-ignore format: directions
    for (const [i, [u, v]] of around.entries()) {
      const [x, y, z] = [u, v, Math.sqrt(1 - u * u - v * v)];
      const [sx, cx, sy, cy] = [Math.sin(gaze[0]), Math.cos(gaze[0]), Math.sin(gaze[1]), Math.cos(gaze[1])];
      const z2 = z * cy - y * sy;
      const at = 3 * (CANONICAL_VERTICES + 5 * k + i);
      landmarks[at] = centre[0] + radius * (x * cx + z2 * sx);
      landmarks[at + 1] = centre[1] + radius * (y * cy + z * sy);
      landmarks[at + 2] = centre[2] + radius * (z2 * cx - x * sx);
    }
  }
  return landmarks;
}

/** An angle in radians, within what eyes turn without effort. */
function lookAt(degrees: number, most: number): number {
  return (Math.min(Math.max(degrees, -most), most) * Math.PI) / 180;
}
