import { FURROWS, type FurrowName, type Stroke } from "./furrow-strokes.ts";
import { texelPlaces } from "./texel-places.ts";

/** Side of the maps, in texels. */
export const FURROW_MAP_SIZE = 256;

/** Heights of one furrow set on one half of the face, within a window of the texture. */
interface FurrowMap {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** [width * height], in millimetres. */
  readonly values: Float32Array;
}

/** Relief of the skin: heights in millimetres and their slopes along u and v. */
export interface Relief {
  /** [size * size] */
  readonly heights: Float32Array;
  readonly slopesU: Float32Array;
  readonly slopesV: Float32Array;
}

interface FurrowMaps {
  readonly maps: ReadonlyMap<FurrowName, readonly [left: FurrowMap, right: FurrowMap]>;
  /** [size * size]: one over the distance between the texels on both sides, in 1/mm. */
  readonly perU: Float32Array;
  readonly perV: Float32Array;
}

let furrowMaps: FurrowMaps | undefined;

/** Weights of furrows on the left and on the right half, 0..1. */
export type FurrowWeights = ReadonlyMap<FurrowName, readonly [left: number, right: number]>;

/** Adds up furrows and bulges. */
export function reliefOf(weights: FurrowWeights): Relief {
  furrowMaps ??= createFurrowMaps();
  const size = FURROW_MAP_SIZE;
  const heights = new Float32Array(size * size);
  for (const [name, sides] of weights) {
    for (const [k, weight] of sides.entries()) {
      if (weight === 0) continue;
      const { left, top, width, height, values } = furrowMaps.maps.get(name)![k]!;
      for (let y = 0; y < height; y++) {
        const row = (top + y) * size + left;
        const from = y * width;
        for (let x = 0; x < width; x++) heights[row + x] = heights[row + x]! + weight * values[from + x]!;
      }
    }
  }
  const slopesU = new Float32Array(size * size);
  const slopesV = new Float32Array(size * size);
  const { perU, perV } = furrowMaps;
  for (let at = size; at < size * (size - 1); at++) {
    slopesU[at] = (heights[at + 1]! - heights[at - 1]!) * perU[at]!;
    slopesV[at] = (heights[at + size]! - heights[at - size]!) * perV[at]!;
  }
  return { heights, slopesU, slopesV };
}

function createFurrowMaps(): FurrowMaps {
  const size = FURROW_MAP_SIZE;
  const { positions } = texelPlaces(size);
  const perU = new Float32Array(size * size);
  const perV = new Float32Array(size * size);
  const apart = (p: number, q: number) =>
    Math.hypot(
      positions[3 * p]! - positions[3 * q]!,
      positions[3 * p + 1]! - positions[3 * q + 1]!,
      positions[3 * p + 2]! - positions[3 * q + 2]!,
    );
  for (let at = size; at < size * (size - 1); at++) {
    perU[at] = 0.1 / Math.max(apart(at + 1, at - 1), 0.05);
    perV[at] = 0.1 / Math.max(apart(at + size, at - size), 0.05);
  }
  const maps = new Map<FurrowName, readonly [FurrowMap, FurrowMap]>();
  const names = Object.keys(FURROWS).map((name) => (/^\d+$/.test(name) ? Number(name) : name) as FurrowName);
  for (const name of names) maps.set(name, [drawMap(FURROWS[name], 1), drawMap(FURROWS[name], -1)]);
  return { maps, perU, perV };
}

/** Draws strokes on one half: side 1 is the subject's left. */
function drawMap(strokes: readonly Stroke[], side: 1 | -1): FurrowMap {
  const size = FURROW_MAP_SIZE;
  const { positions, from, to } = texelPlaces(size);
  const heights = new Float32Array(size * size);
  const bounds = strokes.map(({ path, width }) => {
    const reach = 5 * width;
    const [xs, ys] = [path.map(([x]) => x), path.map(([, y]) => y)];
    return [
      Math.min(...xs) - reach,
      Math.max(...xs) + reach,
      Math.min(...ys) - reach,
      Math.max(...ys) + reach,
    ] as const;
  });
  let [left, right, top, bottom] = [size, 0, size, 0];
  for (let y = 0; y < size; y++) {
    for (let x = from[y]!; x < to[y]!; x++) {
      const at = y * size + x;
      const px = side * positions[3 * at]!;
      const py = positions[3 * at + 1]!;
      if (px < -0.8) continue;
      // Both halves overlap at the midline and add up to one there.
      const share = Math.min(Math.max((px + 0.5) / 1, 0), 1);
      let height = 0;
      for (let k = 0; k < strokes.length; k++) {
        const [fromX, toX, fromY, toY] = bounds[k]!;
        if (px > fromX && px < toX && py > fromY && py < toY) height += strokeHeight(strokes[k]!, px, py);
      }
      if (height === 0) continue;
      height *= share;
      if (Math.abs(height) < 0.004) continue;
      heights[at] = height;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  const width = Math.max(right - left + 1, 0);
  const rows = Math.max(bottom - top + 1, 0);
  const values = new Float32Array(width * rows);
  for (let y = 0; y < rows; y++) {
    values.set(heights.subarray((top + y) * size + left, (top + y) * size + left + width), y * width);
  }
  return { left, top, width, height: rows, values };
}

function strokeHeight({ path, width, height }: Stroke, x: number, y: number): number {
  let nearest = Number.POSITIVE_INFINITY;
  let taper = 1;
  for (let k = 0; k < Math.max(path.length - 1, 1); k++) {
    const [ax, ay] = path[k]!;
    const [bx, by] = path[k + 1] ?? path[k]!;
    const length2 = (bx - ax) ** 2 + (by - ay) ** 2;
    const t = length2 === 0 ? 0 : Math.min(Math.max(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length2, 0), 1);
    const distance = Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay));
    if (distance < nearest) {
      nearest = distance;
      // Furrows run out at both ends.
      const along = path.length < 2 ? 0.5 : (k + t) / (path.length - 1);
      taper = Math.min(1, 0.25 + 4 * Math.min(along, 1 - along));
    }
  }
  if (nearest > 5 * width) return 0;
  const spread = nearest / width;
  const core = Math.exp(-0.5 * spread * spread);
  if (height > 0) return height * core;
  const rim = Math.exp(-0.5 * (spread / 2.2) ** 2);
  return height * taper * (1.35 * core - 0.45 * rim);
}
