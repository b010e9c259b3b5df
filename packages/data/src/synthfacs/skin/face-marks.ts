import { smoothstep } from "../mesh/displacement-field.ts";
import type { BeardStyle } from "../subject.ts";
import { hash, noise } from "./noise.ts";

type Path = readonly (readonly [x: number, y: number])[];

/** Outlines of the lips: centre to corner, on the canonical face. */
const UPPER_OUTLINE: Path = [[0, -3.41], [0.71, -3.3], [1.43, -3.5], [1.91, -3.8], [2.29, -4.08], [2.5, -4.34]]; // biome-ignore format: a path
const LOWER_OUTLINE: Path = [[0, -5.36], [0.7, -5.28], [1.33, -5.1], [1.84, -4.83], [2.2, -4.6], [2.5, -4.34]]; // biome-ignore format: a path
/** The middle of the brow, from the nose outward. */
const BROW: Path = [[1.1, 4.35], [1.9, 4.72], [2.8, 4.86], [3.8, 4.82], [4.7, 4.5], [5.35, 4.0]]; // biome-ignore format: a path

function heightAt(path: Path, x: number): number {
  for (let k = 0; k + 1 < path.length; k++) {
    const [ax, ay] = path[k]!;
    const [bx, by] = path[k + 1]!;
    if (x <= bx) return ay + ((by - ay) * (x - ax)) / (bx - ax);
  }
  return path.at(-1)![1];
}

/** Share of lip red at a place of the canonical face. */
export function lipCover(x: number, y: number): number {
  const side = Math.abs(x);
  if (side > 2.55 || y > -3 || y < -5.6) return 0;
  const top = heightAt(UPPER_OUTLINE, side);
  const bottom = heightAt(LOWER_OUTLINE, side);
  return smoothstep(top + 0.1, top - 0.1, y) * smoothstep(bottom - 0.1, bottom + 0.1, y) * smoothstep(2.55, 2.3, side);
}

/** Share of brow hair; `thickness` is half the brow's height in centimetres. */
export function browCover(thickness: number, side: number, y: number, seed: number): number {
  if (side < 0.7 || side > 5.8 || y < 3.3 || y > 5.7) return 0;
  const middle = heightAt(BROW, Math.max(side, 1.1));
  const along = (side - 1.1) / 4.25;
  const half =
    thickness * (along < 0.55 ? 1 : 1 - 0.7 * ((along - 0.55) / 0.45)) * smoothstep(-0.12, 0.12, along) + 0.02;
  const across = Math.abs(y - middle) / half;
  if (across > 1.5) return 0;
  // Hairs lie outward and up.
  const hair = noise(side * 3 - y * 2.2, side * 4 + y * 12, seed + 5);
  const end = smoothstep(-0.1, 0.1, along) * smoothstep(1.06, 0.95, along);
  return Math.min(1, end * smoothstep(1.35, 0.55, across) * (0.62 + 0.55 * hair));
}

/** Share of freckle. */
export function freckleCover(x: number, y: number, seed: number): number {
  const cell = 0.32;
  const ix = Math.floor(x / cell);
  const iy = Math.floor(y / cell);
  const region = Math.exp(-(((Math.abs(x) - 2.6) / 2.6) ** 2) - ((y - 0.2) / 2.2) ** 2);
  if (hash(ix, iy, seed + 7) > 0.55 * region + 0.05) return 0;
  const cx = (ix + 0.1 + 0.8 * hash(ix, iy, seed + 8)) * cell;
  const cy = (iy + 0.1 + 0.8 * hash(ix, iy, seed + 9)) * cell;
  const radius = cell * (0.1 + 0.25 * hash(ix, iy, seed + 10) ** 2);
  return 0.75 * smoothstep(radius, radius * 0.5, Math.hypot(x - cx, y - cy));
}

/** Share of beard hair. */
export function beardCover(
  { style, density }: { readonly style: BeardStyle; readonly density: number },
  x: number,
  y: number,
  z: number,
  seed: number,
): number {
  if (style === "none" || y > 1) return 0;
  const side = Math.abs(x);
  const ragged = 0.5 * (noise(x * 3, y * 3, seed + 11) - 0.5);
  // The upper edge runs from the ear below the cheek to the corner of the mouth.
  const cheekLine = side > 3 ? -4.2 + 0.78 * (side - 3) ** 1.35 : -4.2 - 0.4 * (3 - side);
  const jaw = smoothstep(cheekLine + 0.5 + ragged, cheekLine - 0.6 + ragged, y);
  // Highest under the nose, thin at the corners of the mouth; a little parted.
  const lipTop = -2.45 - 0.42 * Math.max(side - 0.6, 0) ** 1.25;
  const moustache =
    smoothstep(lipTop + 0.18 + 0.5 * ragged, lipTop - 0.25 + 0.5 * ragged, y) *
    smoothstep(3.2, 2.6, side) *
    smoothstep(-5.1, -4.5, y) *
    (0.6 + 0.4 * smoothstep(0.05, 0.35, side));
  const goatee = smoothstep(2.8, 2.2, side) * smoothstep(-5.1, -5.6, y);
  const hair = 0.55 + 0.7 * noise(x * 7 + z, y * 3.5, seed + 12);
  switch (style) {
    case "stubble":
      return Math.min(0.42, density * 0.42 * Math.max(jaw, moustache) * (0.6 + 0.8 * noise(x * 11, y * 11, seed + 13)));
    case "moustache":
      return Math.min(0.95, density * 1.2 * moustache * hair);
    case "goatee":
      return Math.min(0.95, density * 1.2 * Math.max(moustache, goatee) * hair);
    case "full":
      return Math.min(0.95, (0.9 + 0.5 * density) * Math.max(jaw, moustache) * hair);
  }
}

/** Light that reaches the hollow between brow, nose and eye, 0..1. */
export function lidShadow(side: number, y: number): number {
  const inner = 0.3 * Math.exp(-(((side - 1.6) / 0.55) ** 2) - ((y - 2.85) / 0.75) ** 2);
  const under = 0.1 * Math.exp(-(((side - 2.6) / 1.2) ** 2) - ((y - 1.8) / 0.45) ** 2);
  const above = 0.14 * Math.exp(-(((side - 3.2) / 1.5) ** 2) - ((y - 3.45) / 0.28) ** 2);
  return 1 - inner - under - above;
}

/** Light that reaches the nostrils and the crease beside the nose's wings, 0..1. */
export function nostrilCover(side: number, y: number, z: number): number {
  const hole = 0.92 * Math.exp(-(((side - 0.72) / 0.34) ** 2) - ((y + 1.55) / 0.22) ** 2 - ((z - 6.1) / 0.4) ** 2);
  const crease = 0.35 * Math.exp(-(((side - 1.72) / 0.14) ** 2) - ((y + 1.1) / 0.6) ** 2);
  const below = 0.2 * Math.exp(-(((side - 0.4) / 0.9) ** 2) - ((y + 1.95) / 0.25) ** 2);
  return (1 - hole) * (1 - crease) * (1 - below);
}
