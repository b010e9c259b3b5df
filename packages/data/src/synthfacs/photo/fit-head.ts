import { CANONICAL_VERTICES } from "../canonical-face.ts";
import { headMesh } from "../mesh/head-mesh.ts";
import { restingFace } from "../mesh/resting-face.ts";
import { sealLips } from "../mesh/seal-lips.ts";
import { triple } from "../triple.ts";
import type { Portrait } from "./portrait.ts";

/** A rotation: images of the axes x, y and z. */
export type Rotation = readonly [Vector, Vector, Vector];
/** Right, up, to the viewer. */
export type Vector = readonly [x: number, y: number, z: number];

/** A head whose landmarks lie where a portrait has them. */
export interface FittedHead {
  /** [base vertices * 3] in the head's own space, in centimetres of the canonical face; lips sealed. */
  readonly resting: Float32Array;
  /** [478 * 3] in camera space, in the same centimetres, around the fit's centre: the landmarks as they were found. */
  readonly seen: Float32Array;
  /** From the head's own space to camera space. */
  readonly rotation: Rotation;
  /** What is subtracted from camera space before it is turned back; the head's own origin is its middle. */
  readonly origin: Vector;
  /** The pixel at the origin of camera space. */
  readonly centrePx: readonly [x: number, y: number];
  readonly pixelsPerCm: number;
}

/**
 * Fits the canonical head to a portrait's landmarks: one turn, scale and shift for all of them, after which the landmarks
 * themselves are this person's face.
 */
export function fitHead({ landmarks }: Pick<Portrait, "landmarks">): FittedHead {
  const model = restingFace();
  const points = new Float32Array(landmarks.length);
  for (let i = 0; i < points.length / 3; i++) {
    points[3 * i] = landmarks[3 * i]!;
    points[3 * i + 1] = -landmarks[3 * i + 1]!;
    points[3 * i + 2] = -landmarks[3 * i + 2]!;
  }
  const from = centreOf(model);
  const to = centreOf(points);
  const rotation = bestRotation(model, from, points, to);
  let along = 0;
  let spread = 0;
  for (let i = 0; i < CANONICAL_VERTICES; i++) {
    const p = difference(model, i, from);
    const turned = turn(rotation, p);
    const q = difference(points, i, to);
    along += turned[0] * q[0] + turned[1] * q[1] + turned[2] * q[2];
    spread += p[0] ** 2 + p[1] ** 2 + p[2] ** 2;
  }
  const pixelsPerCm = along / spread;
  const seen = new Float32Array(points.length);
  const resting = headMesh().positions.slice();
  for (let i = 0; i < points.length / 3; i++) {
    const fromCentre = difference(points, i, to);
    const place = triple((c) => fromCentre[c] / pixelsPerCm);
    seen.set(place, 3 * i);
    if (i >= CANONICAL_VERTICES) continue;
    const own = turnBack(rotation, place);
    for (let c = 0; c < 3; c++) resting[3 * i + c] = own[c]! + from[c]!;
  }
  sealLips(resting, 1);
  return { resting, seen, rotation, origin: from, centrePx: [to[0], -to[1]], pixelsPerCm };
}

/** Turns a vector. */
export function turn([x, y, z]: Rotation, p: Vector): Vector {
  return triple((c) => x[c] * p[0] + y[c] * p[1] + z[c] * p[2]);
}

/** Turns a vector back. */
export function turnBack(axes: Rotation, p: Vector): Vector {
  return triple((c) => axes[c][0] * p[0] + axes[c][1] * p[1] + axes[c][2] * p[2]);
}

function centreOf(points: Float32Array): Vector {
  const sum = [0, 0, 0];
  for (let i = 0; i < 3 * CANONICAL_VERTICES; i++) sum[i % 3] = sum[i % 3]! + points[i]!;
  return triple((c) => sum[c]! / CANONICAL_VERTICES);
}

function difference(points: Float32Array, i: number, centre: Vector): Vector {
  return [points[3 * i]! - centre[0], points[3 * i + 1]! - centre[1], points[3 * i + 2]! - centre[2]];
}

/** The rotation that brings one set of points nearest to another (Horn 1987): the greatest eigenvector of a 4 x 4 matrix. */
function bestRotation(from: Float32Array, fromCentre: Vector, to: Float32Array, toCentre: Vector): Rotation {
  const row = () => triple(() => 0);
  const s = [row(), row(), row()] as const;
  for (let i = 0; i < CANONICAL_VERTICES; i++) {
    const p = difference(from, i, fromCentre);
    const q = difference(to, i, toCentre);
    for (let a = 0; a < 3; a++) for (let b = 0; b < 3; b++) s[a]![b]! += p[a]! * q[b]!;
  }
  const [[xx, xy, xz], [yx, yy, yz], [zx, zy, zz]] = s;
  const matrix = [
    [xx + yy + zz, yz - zy, zx - xz, xy - yx],
    [yz - zy, xx - yy - zz, xy + yx, zx + xz],
    [zx - xz, xy + yx, yy - xx - zz, yz + zy],
    [xy - yx, zx + xz, yz + zy, zz - xx - yy],
  ];
  // Power iteration; the shift makes all eigenvalues positive, and faces look at the camera: the gap is wide.
  const shift = Math.max(...matrix.map((row) => row.reduce((sum, value) => sum + Math.abs(value), 0)));
  let q = [1, 0, 0, 0];
  for (let step = 0; step < 200; step++) {
    const next = matrix.map((row, i) => row.reduce((sum, value, j) => sum + value * q[j]!, shift * q[i]!));
    const length = Math.hypot(...next);
    q = next.map((value) => value / length);
  }
  const [w, x, y, z] = q as [number, number, number, number];
  return [
    [1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)],
    [2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)],
    [2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)],
  ];
}
