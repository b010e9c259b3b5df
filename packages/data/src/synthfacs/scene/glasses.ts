import type { Colour } from "../colour.ts";
import type { Eyeball } from "../expression/lid-pose.ts";
import { createGrid } from "../mesh/grid.ts";
import { NO_WRAP, type Solid } from "./solid.ts";

/** Thickness of the frame, in centimetres. */
const TUBE = 0.11;

/** Glasses: two rims, a bridge and the temples. */
export function glassesSolids(
  eyeballs: readonly [Eyeball, Eyeball],
  {
    colour,
    roundness,
    size,
    width,
  }: { readonly colour: Colour; readonly roundness: number; readonly size: number; readonly width: number },
): Solid[] {
  const [left, right] = eyeballs;
  const z = Math.max(left.centre[2], right.centre[2]) + left.radius + 1.8;
  const halfWidth = Math.min(2.55 * size, left.centre[0] - 0.75);
  const halfHeight = 1.4 * size;
  const power = 2 + 2.5 * (1 - roundness);
  const rim =
    ({ centre }: Eyeball) =>
    (t: number): readonly [number, number, number] => {
      const angle = 2 * Math.PI * t;
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      const x = halfWidth * Math.sign(c) * Math.abs(c) ** (2 / power);
      const y = halfHeight * Math.sign(s) * Math.abs(s) ** (2 / power);
      // Rims follow the face to the sides.
      return [centre[0] + x, centre[1] - 0.4 + y, z - 0.035 * (centre[0] + x) ** 2 + 0.02 * centre[0] ** 2];
    };
  const inner = left.centre[0] - halfWidth;
  const outer = left.centre[0] + halfWidth;
  const y = left.centre[1] + 0.35;
  const zAt = (x: number) => z - 0.035 * x ** 2 + 0.02 * left.centre[0] ** 2;
  const bridge = (t: number) =>
    [(2 * t - 1) * inner, y + 0.3 * (1 - (2 * t - 1) ** 2), zAt(inner) + 0.25 * (1 - (2 * t - 1) ** 2)] as const;
  const temple = (side: number) => (t: number) =>
    [
      side * (outer + (8.1 * width - outer) * Math.min(1, 4 * t)),
      y + 0.1,
      zAt(outer) + (-4.5 - zAt(outer)) * t,
    ] as const;
  return [
    tube(rim(left), colour, 40),
    tube(rim(right), colour, 40),
    tube(bridge, colour, 8),
    tube(temple(1), colour, 10),
    tube(temple(-1), colour, 10),
  ];
}

function tube(path: (t: number) => readonly [number, number, number], colour: Colour, segments: number): Solid {
  const place = (u: number, v: number) => {
    const [px, py, pz] = path(u);
    const [qx, qy, qz] = path(u + 1e-3);
    const length = Math.hypot(qx - px, qy - py, qz - pz);
    const [tx, ty, tz] = [(qx - px) / length, (qy - py) / length, (qz - pz) / length];
    // Two directions across the path; frames never run straight to the viewer and up at once.
    const [ax, ay, az] = Math.abs(tz) > 0.9 ? [0, 1, 0] : [-ty, tx, 0];
    const [bx, by, bz] = [ty * az - tz * ay, tz * ax - tx * az, tx * ay - ty * ax];
    const [c, s] = [TUBE * Math.cos(2 * Math.PI * v), TUBE * Math.sin(2 * Math.PI * v)];
    return [px + ax * c + bx * s, py + ay * c + by * s, pz + az * c + bz * s] as const;
  };
  return {
    surface: { ...createGrid(segments, 6, place), twoSided: true },
    castsShadow: true,
    turnsWith: "head",
    material: {
      exponent: 50,
      wrap: NO_WRAP,
      paint(_, __, out) {
        out.set(colour);
        out[3] = 0.6;
      },
    },
  };
}
