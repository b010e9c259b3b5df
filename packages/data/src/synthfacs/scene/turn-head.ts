import type { SyntheticFrame } from "../frame.ts";
import { smoothstep } from "../mesh/displacement-field.ts";
import type { Scene } from "./compose-scene.ts";

type Vector = readonly [number, number, number];

/** Where the head turns about, in centimetres: the top of the neck. */
const PIVOT: Vector = [0, -4, -5];

/** A turn of the head: its axes in camera space. */
export interface Turn {
  readonly left: Vector;
  readonly up: Vector;
  readonly forward: Vector;
}

/** The turn of a frame's yaw, pitch and roll. */
export function headTurn({ yaw, pitch, roll }: Pick<SyntheticFrame, "yaw" | "pitch" | "roll">): Turn {
  const radians = Math.PI / 180;
  const [sy, cy] = [Math.sin(yaw * radians), Math.cos(yaw * radians)];
  const [sp, cp] = [Math.sin(pitch * radians), Math.cos(pitch * radians)];
  const [sr, cr] = [Math.sin(roll * radians), Math.cos(roll * radians)];
  const rolled = ([x, y, z]: Vector): Vector => [x * cr - y * sr, x * sr + y * cr, z];
  return {
    left: rolled([cy, 0, -sy]),
    up: rolled([-sp * sy, cp, -sp * cy]),
    forward: rolled([cp * sy, sp, cp * cy]),
  };
}

/** Turns a scene from the head's own space into the camera's. */
export function turnScene({ solids, landmarks }: Scene, turn: Turn): Scene {
  return {
    landmarks: turned(landmarks, turn, PIVOT, undefined),
    solids: solids.map((solid) => {
      const { surface, turnsWith } = solid;
      if (turnsWith === "nothing") return solid;
      // The neck twists: its foot stays on the shoulders.
      const share = turnsWith === "neck" ? (y: number) => smoothstep(-15.5, -6, y) : undefined;
      return {
        ...solid,
        surface: {
          ...surface,
          positions: turned(surface.positions, turn, PIVOT, share),
          normals: turned(surface.normals, turn, [0, 0, 0], undefined),
        },
      };
    }),
  };
}

function turned(
  from: Float32Array,
  { left, up, forward }: Turn,
  [px, py, pz]: Vector,
  share: ((y: number) => number) | undefined,
): Float32Array {
  const to = new Float32Array(from.length);
  for (let i = 0; i < from.length; i += 3) {
    const x = from[i]! - px;
    const y = from[i + 1]! - py;
    const z = from[i + 2]! - pz;
    const part = share === undefined ? 1 : share(from[i + 1]!);
    to[i] = px + x + part * (left[0] * x + up[0] * y + forward[0] * z - x);
    to[i + 1] = py + y + part * (left[1] * x + up[1] * y + forward[1] * z - y);
    to[i + 2] = pz + z + part * (left[2] * x + up[2] * y + forward[2] * z - z);
  }
  return to;
}
