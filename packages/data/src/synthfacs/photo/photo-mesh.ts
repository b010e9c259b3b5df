import { CANONICAL_VERTICES } from "../canonical-face.ts";
import { openLoops } from "../mesh/fine-mesh.ts";
import { headMesh } from "../mesh/head-mesh.ts";
import { FACE_OVAL, INNER_LIP_CORNERS, LEFT_EYE, RIGHT_EYE } from "../mesh/landmark-loops.ts";
import { interpolate, type Subdivision, subdivide } from "../mesh/subdivide.ts";
import { triple } from "../triple.ts";
import { foldingSkin, lashLine } from "./lid-skin.ts";

/** Rings of the picture around the face: how far from its outline, in centimetres, and how far they go along with it. */
const RINGS = [
  { away: 0.8, along: 0.8 },
  { away: 1.9, along: 0.5 },
  { away: 3.4, along: 0.22 },
  { away: 5.5, along: 0 },
  { away: 6.5, along: 0 },
] as const;

/** The face's landmarks with rings of the picture around them, so that what is beside the face follows it smoothly. */
export interface PhotoMesh {
  readonly subdivision: Subdivision;
  readonly baseCount: number;
  /** [fine vertices * 2]: the face's texture; those of the outline around it. */
  readonly uvs: Float32Array;
  /** [fine vertices]: 1 on the face, 0 where the picture stays as it is. */
  readonly share: Float32Array;
  /** [fine vertices]: 1 where skin folds, 0 at the outline and around it. */
  readonly folding: Float32Array;
  /** [fine vertices]: 1 at the edge of the upper lids, 0 elsewhere. */
  readonly lashes: Float32Array;
  /** Triangles of the face alone, the first ones of all. */
  readonly faceTriangles: Uint32Array;
  /** Open edges in order. */
  readonly leftEyeLoop: readonly number[];
  readonly rightEyeLoop: readonly number[];
  readonly mouthLoop: readonly number[];
}

const LEVELS = 2;

let mesh: PhotoMesh | undefined;

/** The mesh, made once. */
export function photoMesh(): PhotoMesh {
  mesh ??= createPhotoMesh();
  return mesh;
}

/**
 * Adds the rings to the landmarks of a face.
 *
 * @param face its landmarks in camera space, in centimetres
 * @param resting the same face as the photograph has it: its rings do not move
 * @returns [base vertices * 3]
 */
export function withRings(face: Float32Array, resting: Float32Array): Float32Array {
  const points = new Float32Array((CANONICAL_VERTICES + RINGS.length * FACE_OVAL.length) * 3);
  points.set(face.subarray(0, 3 * CANONICAL_VERTICES));
  const centre = [0, 1].map((c) => mean(FACE_OVAL.map((vertex) => resting[3 * vertex + c]!)));
  for (const [i, vertex] of FACE_OVAL.entries()) {
    const [x, y, z] = triple((c) => resting[3 * vertex + c]!);
    const length = Math.hypot(x - centre[0]!, y - centre[1]!);
    const way = [(x - centre[0]!) / length, (y - centre[1]!) / length];
    for (const [k, { away, along }] of RINGS.entries()) {
      const at = 3 * ringVertex(k + 1, i);
      for (let c = 0; c < 2; c++) {
        points[at + c] =
          resting[3 * vertex + c]! + away * way[c]! + along * (face[3 * vertex + c]! - resting[3 * vertex + c]!);
      }
      // Behind the face, so that it stays in front where it moves over them.
      points[at + 2] = Math.min(z, face[3 * vertex + 2]!) - 0.5 * (k + 1);
    }
  }
  return points;
}

function createPhotoMesh(): PhotoMesh {
  const head = headMesh();
  const count = FACE_OVAL.length;
  const baseCount = CANONICAL_VERTICES + RINGS.length * count;
  const face: number[] = [];
  for (let t = 0; t < head.triangles.length; t += 3) {
    const corners = head.triangles.subarray(t, t + 3);
    if (corners.every((vertex) => vertex < CANONICAL_VERTICES)) face.push(...corners);
  }
  const around: number[] = [];
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < RINGS.length; k++) {
      const [p, q, r, s] = [ringVertex(k, i), ringVertex(k, i + 1), ringVertex(k + 1, i), ringVertex(k + 1, i + 1)];
      around.push(p, q, r, q, s, r);
    }
  }
  const fixed = new Set([
    ...[LEFT_EYE, RIGHT_EYE].flatMap(({ outerCorner, innerCorner }) => [outerCorner, innerCorner]),
    ...INNER_LIP_CORNERS,
  ]);
  const subdivision = subdivide(baseCount, Uint32Array.from([...face, ...around]), LEVELS, fixed);
  const uvs = new Float32Array(baseCount * 2);
  const share = new Float32Array(baseCount);
  uvs.set(head.uvs.subarray(0, 2 * CANONICAL_VERTICES));
  share.fill(1, 0, CANONICAL_VERTICES);
  for (const [i, vertex] of FACE_OVAL.entries()) {
    for (const [k, { along }] of RINGS.entries()) {
      uvs.set(head.uvs.subarray(2 * vertex, 2 * vertex + 2), 2 * ringVertex(k + 1, i));
      share[ringVertex(k + 1, i)] = along;
    }
  }
  const loops = openLoops(subdivision);
  const loopWith = (vertex: number) => loops.find((loop) => loop.includes(vertex))!;
  return {
    subdivision,
    baseCount,
    uvs: interpolate(subdivision, uvs, 2),
    share: interpolate(subdivision, share, 1),
    folding: interpolate(subdivision, foldingSkin(baseCount, FACE_OVAL), 1),
    lashes: interpolate(subdivision, lashLine(baseCount), 1),
    faceTriangles: subdivision.triangles.subarray(0, face.length * 4 ** LEVELS),
    leftEyeLoop: loopWith(LEFT_EYE.outerCorner),
    rightEyeLoop: loopWith(RIGHT_EYE.outerCorner),
    mouthLoop: loopWith(INNER_LIP_CORNERS[0]),
  };
}

function ringVertex(ring: number, i: number): number {
  const place = i % FACE_OVAL.length;
  return ring === 0 ? FACE_OVAL[place]! : CANONICAL_VERTICES + (ring - 1) * FACE_OVAL.length + place;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
