import type { Box } from "../../image.ts";
import { CANONICAL_VERTICES } from "../canonical-face.ts";
import type { Camera } from "../raster/rasterise.ts";
import { headTurn } from "../scene/turn-head.ts";
import { type FittedHead, type Rotation, turn, type Vector } from "./fit-head.ts";
import type { PhotoFrame } from "./photo-frame.ts";

/** Distance of the camera in centimetres. What is nearer is shrunk before, so that it looks no nearer than it is. */
const CAMERA_DISTANCE = 1_000;
/** Where the head turns about, in centimetres of its own space: the top of the neck. */
const PIVOT: Vector = [0, -4, -5];

/** How a frame turns the head of a portrait, and the picture with it. */
export interface PhotoView {
  /** Turns points of the portrait's camera space with the head. */
  readonly turned: (points: Float32Array) => Float32Array;
  /** The same from the head's own space. */
  readonly fromHead: (points: Float32Array) => Float32Array;
  /** Directions from the head's own space. */
  readonly directions: (vectors: Float32Array) => Float32Array;
  /** Rolls the picture as a whole. */
  readonly rolled: (points: Float32Array) => Float32Array;
  /** In degrees, as a frame of a drawn face has them. */
  readonly pose: Pick<PhotoFrame, "yaw" | "pitch" | "roll">;
}

/** The view of a frame: the portrait's pose, and the frame's turn on top of it about the neck. */
export function photoView(
  { rotation, origin }: FittedHead,
  { yaw, pitch, roll }: Pick<PhotoFrame, "yaw" | "pitch" | "roll">,
): PhotoView {
  const { left, up, forward } = headTurn({ yaw, pitch, roll: 0 });
  const extra: Rotation = [left, up, forward];
  const pivot = turn(rotation, [PIVOT[0] - origin[0], PIVOT[1] - origin[1], PIVOT[2] - origin[2]]);
  const point = (p: Vector): Vector => {
    const way = turn(extra, [p[0] - pivot[0], p[1] - pivot[1], p[2] - pivot[2]]);
    return [pivot[0] + way[0], pivot[1] + way[1], pivot[2] + way[2]];
  };
  const [sin, cos] = [Math.sin((roll * Math.PI) / 180), Math.cos((roll * Math.PI) / 180)];
  return {
    turned: (points) => mapped(points, point),
    fromHead: (points) =>
      mapped(points, (p) => point(turn(rotation, [p[0] - origin[0], p[1] - origin[1], p[2] - origin[2]]))),
    directions: (vectors) => mapped(vectors, (p) => turn(extra, turn(rotation, p))),
    rolled: (points) => mapped(points, ([x, y, z]) => [x * cos - y * sin, x * sin + y * cos, z]),
    pose: poseOf(turn(extra, turn(rotation, [1, 0, 0])), turn(extra, turn(rotation, [0, 1, 0])), roll),
  };
}

/** Takes out the perspective that a camera at `distance` will add: a photograph has its own. */
export function flattened(points: Float32Array, distance = CAMERA_DISTANCE): Float32Array {
  return mapped(points, ([x, y, z]) => [x * (1 - z / distance), y * (1 - z / distance), z]);
}

/** The angles that `headTurn` makes these axes from, and a roll of the picture. */
function poseOf(left: Vector, up: Vector, roll: number): PhotoView["pose"] {
  const degrees = 180 / Math.PI;
  const cosYaw = Math.hypot(left[0], left[1]);
  return {
    yaw: Math.atan2(-left[2], cosYaw) * degrees,
    pitch: Math.asin(Math.min(Math.max(-up[2] / Math.max(cosYaw, 1e-6), -1), 1)) * degrees,
    roll: Math.atan2(left[1], left[0]) * degrees + roll,
  };
}

/** A camera with what it sees of the landmarks. */
export interface Aim {
  readonly camera: Camera;
  /** As given, x, y and z in pixels of the picture, z to the viewer. */
  readonly landmarks: Float32Array;
  readonly box: Box;
  /** The picture's pixels for a centimetre, the mean of both directions. */
  readonly pixelsPerCm: number;
}

/**
 * Aims at landmarks: the rectangle of those of the mesh with 5 % a side, without its aspect.
 *
 * @param side of the picture, in pixels
 */
export function aimAt(points: Float32Array, { offsetX, offsetY, scale }: PhotoFrame, side: number): Aim {
  const mesh = points.subarray(0, 3 * CANONICAL_VERTICES);
  const xs = mesh.filter((_, i) => i % 3 === 0);
  const ys = mesh.filter((_, i) => i % 3 === 1);
  const [left, right, bottom, top] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scaleX = (scale * side) / (1.1 * (right - left));
  const scaleY = (scale * side) / (1.1 * (top - bottom));
  const centreX = (0.5 + offsetX) * side - 0.5 * (left + right) * scaleX;
  const centreY = (0.5 + offsetY) * side + 0.5 * (top + bottom) * scaleY;
  const landmarks = new Float32Array(points.length);
  for (let i = 0; i < points.length; i += 3) {
    landmarks[i] = centreX + points[i]! * scaleX;
    landmarks[i + 1] = centreY - points[i + 1]! * scaleY;
    landmarks[i + 2] = points[i + 2]! * scaleX;
  }
  return {
    camera: {
      distance: CAMERA_DISTANCE,
      focalX: scaleX * CAMERA_DISTANCE,
      focalY: scaleY * CAMERA_DISTANCE,
      centreX,
      centreY,
    },
    landmarks,
    box: {
      left: centreX + left * scaleX,
      top: centreY - top * scaleY,
      width: (right - left) * scaleX,
      height: (top - bottom) * scaleY,
    },
    pixelsPerCm: Math.sqrt(scaleX * scaleY),
  };
}

function mapped(points: Float32Array, map: (p: Vector) => Vector): Float32Array {
  const to = new Float32Array(points.length);
  for (let i = 0; i < points.length; i += 3) to.set(map([points[i]!, points[i + 1]!, points[i + 2]!]), i);
  return to;
}
