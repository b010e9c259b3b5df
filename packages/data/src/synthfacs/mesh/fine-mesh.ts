import { headMesh } from "./head-mesh.ts";
import { INNER_LIP_CORNERS, LEFT_EYE, RIGHT_EYE } from "./landmark-loops.ts";
import { interpolate, type Subdivision, subdivide } from "./subdivide.ts";

/** How often the head is subdivided: once is enough for pictures of about 100 pixels. */
export type Levels = 1 | 2;

/** The head's mesh as it is drawn. */
export interface FineMesh {
  readonly subdivision: Subdivision;
  /** [fine vertices * 2] */
  readonly uvs: Float32Array;
  /** [fine vertices * 3]: canonical positions. */
  readonly positions: Float32Array;
  /** Open edges in order: both eyes and the mouth. */
  readonly leftEyeLoop: readonly number[];
  readonly rightEyeLoop: readonly number[];
  readonly mouthLoop: readonly number[];
  /** Vertices around the left and the right eye. */
  readonly aroundEyes: readonly [readonly number[], readonly number[]];
}

const known = new Map<Levels, FineMesh>();

/** The head's mesh subdivided, made once. */
export function fineMesh(levels: Levels): FineMesh {
  let mesh = known.get(levels);
  if (mesh === undefined) {
    mesh = createFineMesh(levels);
    known.set(levels, mesh);
  }
  return mesh;
}

function createFineMesh(levels: Levels): FineMesh {
  const head = headMesh();
  const fixed = new Set([
    ...[LEFT_EYE, RIGHT_EYE].flatMap(({ outerCorner, innerCorner }) => [outerCorner, innerCorner]),
    ...INNER_LIP_CORNERS,
  ]);
  const subdivision = subdivide(head.baseCount, head.triangles, levels, fixed);
  const loops = openLoops(subdivision);
  const loopWith = (vertex: number) => loops.find((loop) => loop.includes(vertex))!;
  const positions = interpolate(subdivision, head.positions, 3);
  const around = (sign: number) =>
    Array.from({ length: positions.length / 3 }, (_, i) => i).filter((i) => {
      const [x, y, z] = positions.subarray(3 * i, 3 * i + 3);
      return z! > 2 && Math.hypot(x! - sign * 3.15, y! - 2.65) < 2;
    });
  return {
    subdivision,
    uvs: interpolate(subdivision, head.uvs, 2),
    positions,
    leftEyeLoop: loopWith(LEFT_EYE.outerCorner),
    rightEyeLoop: loopWith(RIGHT_EYE.outerCorner),
    mouthLoop: loopWith(INNER_LIP_CORNERS[0]),
    aroundEyes: [around(1), around(-1)],
  };
}

/** The open edges of a mesh, each as the loop of its vertices. */
function openLoops({ vertexCount, triangles }: Subdivision): number[][] {
  const next = new Map<number, number>();
  const seen = new Set<number>();
  const key = (p: number, q: number) => p * vertexCount + q;
  for (let t = 0; t < triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) seen.add(key(triangles[t + k]!, triangles[t + ((k + 1) % 3)]!));
  }
  for (let t = 0; t < triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const p = triangles[t + k]!;
      const q = triangles[t + ((k + 1) % 3)]!;
      if (!seen.has(key(q, p))) next.set(q, p);
    }
  }
  const loops: number[][] = [];
  while (next.size > 0) {
    const loop: number[] = [];
    for (let at = next.keys().next().value; at !== undefined && next.has(at); ) {
      loop.push(at);
      const following: number = next.get(at)!;
      next.delete(at);
      at = following;
    }
    loops.push(loop);
  }
  return loops;
}
