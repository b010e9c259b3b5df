import { CANONICAL_VERTICES, canonicalFace } from "../canonical-face.ts";
import { FACE_OVAL, INNER_LIPS, LEFT_EYE, RIGHT_EYE } from "./landmark-loops.ts";

/** Rings of vertices between the face's outline and the back of the head. */
const RINGS = 5;

/** The head's skull as an ellipsoid, in centimetres of the canonical face. */
export const SKULL = { x: 0, y: 2.3, z: -4.6, radiusX: 7.75, radiusY: 10.6, radiusZ: 9.9 } as const;

/** The head: the canonical face with eyes and mouth open, grown to a whole head. */
export interface HeadMesh {
  /** [base vertices * 3]; the first 468 are the landmarks. */
  readonly positions: Float32Array;
  /** [base vertices * 2]; behind the outline they are those of the outline. */
  readonly uvs: Float32Array;
  readonly triangles: Uint32Array;
  readonly baseCount: number;
  /** The vertex on the other side of the face, for each base vertex. */
  readonly mirror: Uint16Array;
}

let head: HeadMesh | undefined;

/** The head's mesh, made once. */
export function headMesh(): HeadMesh {
  head ??= createHeadMesh();
  return head;
}

function createHeadMesh(): HeadMesh {
  const face = canonicalFace();
  const ovalCount = FACE_OVAL.length;
  const baseCount = CANONICAL_VERTICES + RINGS * ovalCount + 1;
  const positions = new Float32Array(baseCount * 3);
  const uvs = new Float32Array(baseCount * 2);
  positions.set(face.positions);
  uvs.set(face.uvs);
  const ring = (k: number, i: number) =>
    k === 0 ? FACE_OVAL[i % ovalCount]! : CANONICAL_VERTICES + (k - 1) * ovalCount + (i % ovalCount);
  const apex = baseCount - 1;
  for (const [i, landmark] of FACE_OVAL.entries()) {
    for (let k = 1; k <= RINGS; k++) {
      placeBehind(face.positions, landmark, k / (RINGS + 1), positions, ring(k, i));
      uvs.set(face.uvs.subarray(2 * landmark, 2 * landmark + 2), 2 * ring(k, i));
    }
  }
  positions.set([SKULL.x, SKULL.y, SKULL.z - SKULL.radiusZ], 3 * apex);
  uvs.set([0.5, 0], 2 * apex);

  const holes = [eyeRing(LEFT_EYE), eyeRing(RIGHT_EYE), INNER_LIPS].map((loop) => new Set(loop));
  const triangles: number[] = [];
  for (let t = 0; t < face.triangles.length; t += 3) {
    const corners = face.triangles.subarray(t, t + 3);
    if (!holes.some((hole) => corners.every((each) => hole.has(each)))) triangles.push(...corners);
  }
  for (let i = 0; i < ovalCount; i++) {
    for (let k = 0; k < RINGS; k++) {
      triangles.push(ring(k, i), ring(k, i + 1), ring(k + 1, i));
      triangles.push(ring(k, i + 1), ring(k + 1, i + 1), ring(k + 1, i));
    }
    triangles.push(ring(RINGS, i), ring(RINGS, i + 1), apex);
  }
  return { positions, uvs, triangles: Uint32Array.from(triangles), baseCount, mirror: mirrorOf(positions, baseCount) };
}

/** The loop of an eye's edge. */
function eyeRing({ outerCorner, innerCorner, upperEdge, lowerEdge }: typeof LEFT_EYE): readonly number[] {
  return [outerCorner, ...upperEdge, innerCorner, ...lowerEdge];
}

/** Places a vertex on the way from the outline to the back of the head, along the skull. */
function placeBehind(face: Float32Array, landmark: number, share: number, out: Float32Array, vertex: number): void {
  const x = (face[3 * landmark]! - SKULL.x) / SKULL.radiusX;
  const y = (face[3 * landmark + 1]! - SKULL.y) / SKULL.radiusY;
  const z = (face[3 * landmark + 2]! - SKULL.z) / SKULL.radiusZ;
  const length = Math.hypot(x, y, z);
  const across = Math.hypot(x, y);
  const start = Math.acos(z / length);
  const angle = start + (Math.PI - start) * share;
  const radius = length + (1 - length) * Math.min(1, share * 2);
  out[3 * vertex] = SKULL.x + (SKULL.radiusX * radius * Math.sin(angle) * x) / across;
  out[3 * vertex + 1] = SKULL.y + (SKULL.radiusY * radius * Math.sin(angle) * y) / across;
  out[3 * vertex + 2] = SKULL.z + SKULL.radiusZ * radius * Math.cos(angle);
}

function mirrorOf(positions: Float32Array, count: number): Uint16Array {
  const mirror = new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    let best = Number.POSITIVE_INFINITY;
    for (let j = 0; j < count; j++) {
      const distance = Math.hypot(
        positions[3 * i]! + positions[3 * j]!,
        positions[3 * i + 1]! - positions[3 * j + 1]!,
        positions[3 * i + 2]! - positions[3 * j + 2]!,
      );
      if (distance < best) {
        best = distance;
        mirror[i] = j;
      }
    }
  }
  return mirror;
}
