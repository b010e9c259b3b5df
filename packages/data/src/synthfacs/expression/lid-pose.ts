import { type EyeLandmarks, LEFT_EYE, RIGHT_EYE } from "../mesh/landmark-loops.ts";

/** A sphere behind the lids. */
export interface Eyeball {
  readonly centre: readonly [x: number, y: number, z: number];
  readonly radius: number;
}

const RADIUS = 1.42;
/** Thickness of a lid over the eyeball. */
const LID = 0.06;
/** How much of the lid's way its fold goes. */
const FOLD_SHARE = 0.45;

/** Fits the eyeballs into a head, by the edges of its resting lids: left, right. */
export function eyeballsOf(head: Float32Array): readonly [Eyeball, Eyeball] {
  const fit = ({ outerCorner, innerCorner, upperEdge, lowerEdge }: EyeLandmarks): Eyeball => {
    const mean = (c: number, vertices: readonly number[]) =>
      vertices.reduce((sum, vertex) => sum + head[3 * vertex + c]!, 0) / vertices.length;
    const middle = [upperEdge[3]!, lowerEdge[3]!];
    const x = 0.5 * mean(0, [outerCorner, innerCorner]) + 0.5 * mean(0, middle);
    return { centre: [x, mean(1, middle) - 0.02, mean(2, middle) - LID - RADIUS], radius: RADIUS };
  };
  return [fit(LEFT_EYE), fit(RIGHT_EYE)];
}

/**
 * Moves an eye's lids along the eyeball, in place.
 *
 * @param upper share of the way from the upper lid's place to the lower lid's; below 0 raises it
 * @param lower share of the way from the lower lid's place to the upper lid's
 */
export function poseLids(
  head: Float32Array,
  eye: EyeLandmarks,
  eyeball: Eyeball,
  { upper, lower }: { readonly upper: number; readonly lower: number },
): void {
  for (const [i, upperVertex] of eye.upperEdge.entries()) {
    const lowerVertex = eye.lowerEdge[i]!;
    const top = place(head, upperVertex);
    const bottom = place(head, lowerVertex);
    const lowerTo = between(bottom, top, Math.min(lower, 0.9));
    // A closed upper lid lies on the lower one.
    const meeting = between(lowerTo, top, -0.12);
    put(head, lowerVertex, onLid(eyeball, lowerTo, bottom));
    const upperTo = between(top, meeting, upper);
    put(head, upperVertex, upper < 0 ? backOver(eyeball, upperTo, top) : onLid(eyeball, upperTo, top, 0.05 * upper));
    const fold = eye.upperFold[i]!;
    const foldTop = place(head, fold);
    const way = FOLD_SHARE * (upper > 0 ? upper : 0.6 * upper);
    const foldTo: Vector = [
      foldTop[0] + way * (meeting[0] - top[0]),
      foldTop[1] + way * (meeting[1] - top[1]),
      foldTop[2] + (upper > 0 ? 0.12 * upper : 0.2 * upper),
    ];
    put(head, fold, foldTo);
    const bag = eye.lowerFold[i]!;
    head[3 * bag + 1] = head[3 * bag + 1]! + 0.4 * (lowerTo[1] - bottom[1]);
    head[3 * bag + 2] = head[3 * bag + 2]! + 0.35 * (lowerTo[1] - bottom[1]);
  }
}

type Vector = readonly [x: number, y: number, z: number];

function place(head: Float32Array, vertex: number): Vector {
  return [head[3 * vertex]!, head[3 * vertex + 1]!, head[3 * vertex + 2]!];
}

function put(head: Float32Array, vertex: number, position: Vector): void {
  head.set(position, 3 * vertex);
}

function between(p: Vector, q: Vector, share: number): Vector {
  return [p[0] + share * (q[0] - p[0]), p[1] + share * (q[1] - p[1]), p[2] + share * (q[2] - p[2])];
}

/** Takes a point of a straight way to the distance from the ball that it had at rest: a raised lid draws back over it. */
function backOver({ centre }: Eyeball, at: Vector, rest: Vector): Vector {
  const scale = distance(rest, centre) / distance(at, centre);
  return between(centre, at, scale);
}

function distance(p: Vector, q: Vector): number {
  return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
}

/** Takes a point of a straight way out to the lid's arc over the eyeball. */
function onLid({ centre, radius }: Eyeball, at: Vector, rest: Vector, above = 0): Vector {
  const wanted = Math.max(radius + LID, Math.min(distance(rest, centre), radius + 0.35)) + above;
  return between(centre, at, Math.max(1, wanted / distance(at, centre)));
}
