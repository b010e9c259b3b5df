import type { Colour } from "../colour.ts";
import type { Eyeball } from "../expression/lid-pose.ts";
import { smoothstep } from "../mesh/displacement-field.ts";
import { createGrid } from "../mesh/grid.ts";
import { vertexNormals } from "../raster/vertex-normals.ts";
import { hash, noise } from "../skin/noise.ts";
import { NO_WRAP, SKIN_WRAP, type Solid } from "./solid.ts";

/** Radii on the eyeball, as shares of its own. */
const IRIS = 0.41;
const PUPIL = 0.16;
/** Lashes around an eye. */
const LASHES = 140;

/** What one eye looks like. */
export interface EyeLook {
  readonly iris: Colour;
  readonly skin: Colour;
  /** Length of the lashes, in centimetres. */
  readonly lashes: number;
  readonly seed: number;
  /** Where it looks, in radians: to the subject's left, up. */
  readonly gaze: readonly [left: number, up: number];
}

/** The edge of an eye's lids. */
export interface LidLoop {
  /** Fine vertices in order. */
  readonly loop: readonly number[];
  /** [fine vertices * 3]: where they are, and where they are on the canonical face. */
  readonly positions: Float32Array;
  readonly canonical: Float32Array;
}

/** An eye: eyeball, the lids' edges and the lashes. */
export function eyeSolids(eyeball: Eyeball, { loop, positions, canonical }: LidLoop, look: EyeLook): Solid[] {
  const upper = onUpperLid(loop, canonical);
  const lidTop = Math.max(...loop.map((vertex) => positions[3 * vertex + 1]!));
  return [
    ball(eyeball, lidTop, look),
    lidEdge(loop, upper, positions, eyeball, look),
    lashes(loop, upper, positions, eyeball.centre, look),
  ];
}

/** Whether each loop vertex is above the line between the corners, on the canonical face. */
function onUpperLid(loop: readonly number[], canonical: Float32Array): readonly boolean[] {
  const xs = loop.map((vertex) => canonical[3 * vertex]!);
  const first = 3 * loop[xs.indexOf(Math.min(...xs))]!;
  const last = 3 * loop[xs.indexOf(Math.max(...xs))]!;
  const slope = (canonical[last + 1]! - canonical[first + 1]!) / (canonical[last]! - canonical[first]!);
  return loop.map((vertex) => {
    const line = canonical[first + 1]! + slope * (canonical[3 * vertex]! - canonical[first]!);
    return canonical[3 * vertex + 1]! > line;
  });
}

function ball({ centre, radius }: Eyeball, lidTop: number, { iris, gaze, seed }: EyeLook): Solid {
  const [left, up] = gaze;
  const [sx, cx] = [Math.sin(left), Math.cos(left)];
  const [sy, cy] = [Math.sin(up), Math.cos(up)];
  // Polar around the gaze; uvs are the direction's part across the gaze, which names a point of the front half.
  const direction = (u: number, v: number) => {
    const angle = v * 1.5;
    const around = 2 * Math.PI * u;
    return [Math.sin(angle) * Math.cos(around), Math.sin(angle) * Math.sin(around), Math.cos(angle)] as const;
  };
  const place = (u: number, v: number) => {
    const [x, y, z] = direction(u, v);
    const y2 = y * cy + z * sy;
    const z2 = z * cy - y * sy;
    return [
      centre[0] + radius * (x * cx + z2 * sx),
      centre[1] + radius * y2,
      centre[2] + radius * (z2 * cx - x * sx),
    ] as const;
  };
  const grid = createGrid(28, 14, place, (u, v) => [direction(u, v)[0], direction(u, v)[1]]);
  for (let i = 0; i < grid.normals.length; i++) {
    grid.normals[i] = (grid.positions[i]! - centre[i % 3]!) / radius;
  }
  return {
    surface: { ...grid, twoSided: true },
    castsShadow: false,
    turnsWith: "head",
    material: {
      exponent: 500,
      wrap: NO_WRAP,
      open: 0.75,
      paint(u, v, out) {
        const r = Math.hypot(u, v);
        // The upper lid shades the ball.
        const y = centre[1] + radius * v * cy;
        const shade = 0.25 + 0.75 * smoothstep(lidTop + 0.02, lidTop - 0.42, y);
        const rim = smoothstep(IRIS + 0.025, IRIS - 0.02, r);
        const pupil = smoothstep(PUPIL + 0.025, PUPIL - 0.01, r);
        const ray = 0.75 + 0.6 * noise(Math.atan2(v, u) * 7, r * 9, seed);
        const limbus = 1 - 0.6 * smoothstep(IRIS - 0.1, IRIS, r);
        const white = 0.8 - 0.18 * smoothstep(0.5, 0.95, r);
        for (let c = 0; c < 3; c++) {
          const sclera = white * (c === 0 ? 1 : c === 1 ? 0.955 : 0.94);
          const colour = iris[c]! * ray * limbus * 1.25 * (1 - pupil) + 0.004 * pupil;
          out[c] = shade * (sclera + rim * (colour - sclera));
        }
        out[3] = 3;
      },
    },
  };
}

/** The rim of the lids, from their edge to the ball: wet and pink below, dark with lashes above. */
function lidEdge(
  loop: readonly number[],
  upper: readonly boolean[],
  fine: Float32Array,
  { centre, radius }: Eyeball,
  { skin, lashes }: EyeLook,
): Solid {
  const count = loop.length;
  const positions = new Float32Array(count * 6);
  const uvs = new Float32Array(count * 4);
  const triangles: number[] = [];
  for (const [i, vertex] of loop.entries()) {
    const p = fine.subarray(3 * vertex, 3 * vertex + 3);
    const length = Math.hypot(p[0]! - centre[0], p[1]! - centre[1], p[2]! - centre[2]);
    positions.set(p, 3 * i);
    for (let c = 0; c < 3; c++) {
      positions[3 * (count + i) + c] = centre[c]! + ((p[c]! - centre[c]!) * radius * 0.97) / length;
    }
    uvs.set([upper[i] ? 1 : 0, 0], 2 * i);
    uvs.set([upper[i] ? 1 : 0, 1], 2 * (count + i));
    const next = (i + 1) % count;
    triangles.push(i, next, count + i, next, count + next, count + i);
  }
  const indices = Uint32Array.from(triangles);
  const dark = Math.min(1, 0.55 + 1.1 * lashes);
  return {
    surface: { positions, uvs, normals: vertexNormals(positions, indices), triangles: indices, twoSided: true },
    castsShadow: false,
    turnsWith: "head",
    material: {
      exponent: 40,
      wrap: SKIN_WRAP,
      open: 0.8,
      paint(u, v, out) {
        // Where a wide eye shows the rim down to the ball, it is the white's own wet lining.
        const lining = u * smoothstep(0.08, 0.4, v);
        const shade = 1 - dark * u;
        const white = [0.36, 0.27, 0.25] as const;
        const skinRed = [0.95, 0.72, 0.7] as const;
        for (let c = 0; c < 3; c++) {
          const edge = skin[c]! * skinRed[c]! * shade;
          out[c] = edge + lining * (white[c]! - edge);
        }
        out[3] = 0.2 * (1 - u);
      },
    },
  };
}

function lashes(
  loop: readonly number[],
  upper: readonly boolean[],
  fine: Float32Array,
  centre: readonly [number, number, number],
  { lashes: length, seed }: EyeLook,
): Solid {
  const count = loop.length;
  const positions = new Float32Array(count * 6);
  const uvs = new Float32Array(count * 4);
  const triangles: number[] = [];
  for (const [i, vertex] of loop.entries()) {
    const p = fine.subarray(3 * vertex, 3 * vertex + 3);
    const out = [p[0]! - centre[0], p[1]! - centre[1], p[2]! - centre[2]];
    const far = Math.hypot(...out);
    const reach = length * (upper[i] ? 1 : 0.35);
    positions.set([p[0]!, p[1]! + (upper[i] ? 0.015 : -0.01), p[2]! + 0.02], 3 * i);
    positions.set(
      [
        p[0]! + (reach * 1.3 * out[0]!) / far,
        p[1]! + reach * ((0.5 * out[1]!) / far + (upper[i] ? 0.45 : -0.5)),
        p[2]! + (reach * 0.8 * out[2]!) / far,
      ],
      3 * (count + i),
    );
    uvs.set([i / count, 0], 2 * i);
    uvs.set([i / count, 1], 2 * (count + i));
    const next = (i + 1) % count;
    if (next !== 0) triangles.push(i, next, count + i, next, count + next, count + i);
  }
  const indices = Uint32Array.from(triangles);
  const cut = (u: number, v: number) => {
    const strand = Math.floor(u * LASHES);
    const inside = Math.abs(u * LASHES - strand - 0.5) * 2;
    return inside > 1 - v * 0.85 || v > 0.55 + 0.45 * hash(strand, 3, seed);
  };
  return {
    surface: { positions, uvs, normals: vertexNormals(positions, indices), triangles: indices, twoSided: true, cut },
    castsShadow: false,
    turnsWith: "head",
    material: {
      exponent: 10,
      wrap: NO_WRAP,
      paint(_, __, out) {
        out[0] = 0.012;
        out[1] = 0.009;
        out[2] = 0.008;
        out[3] = 0;
      },
    },
  };
}
