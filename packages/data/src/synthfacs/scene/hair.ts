import { smoothstep } from "../mesh/displacement-field.ts";
import { createGrid } from "../mesh/grid.ts";
import { SKULL } from "../mesh/head-mesh.ts";
import { hash, noise } from "../skin/noise.ts";
import type { SyntheticSubject } from "../subject.ts";
import { type Material, NO_WRAP, type Solid } from "./solid.ts";

/** How much larger than the canonical head this one is: sideways, and upward at its top. */
export interface HeadSize {
  readonly width: number;
  readonly top: number;
}

/** A person's hair: a cap on the skull, cut along the hairline, and what hangs or stands out from it. */
export function hairSolids({ hair, textureSeed: seed, skinDepth }: SyntheticSubject, size: HeadSize): Solid[] {
  const { style, volume } = hair;
  if (style === "bald") return [];
  const material = hairMaterial(hair.colour, seed, style === "curly");
  const cut = (u: number, mask: number) =>
    mask < 0.35 * (noise(u * 90, mask * 2, seed) - 0.4) + 0.25 * (hash(Math.floor(u * 400), 1, seed) - 0.5);
  const solids: Solid[] = [
    {
      surface: { ...cap(hair, size, seed, skinDepth), twoSided: true, cut },
      castsShadow: true,
      turnsWith: "head",
      material,
    },
  ];
  if (style === "long") {
    solids.push({
      surface: { ...curtain(hair.volume, size, seed), twoSided: true, cut },
      castsShadow: true,
      turnsWith: "head",
      material,
    });
  }
  if (style === "bun") {
    const radius = 2.6 + 1.4 * volume;
    const centre = [0, SKULL.y + SKULL.radiusY * 0.92 + size.top, SKULL.z - 3] as const;
    const place = (u: number, v: number) =>
      [
        centre[0] - radius * 1.15 * Math.sin(Math.PI * v) * Math.sin(2 * Math.PI * u),
        centre[1] + radius * 0.85 * Math.cos(Math.PI * v),
        centre[2] - radius * Math.sin(Math.PI * v) * Math.cos(2 * Math.PI * u),
      ] as const;
    solids.push({
      surface: { ...createGrid(20, 10, place, (u, v) => [u, v + 3]), twoSided: true },
      castsShadow: true,
      turnsWith: "head",
      material,
    });
  }
  return solids;
}

/** How far inside the hair a place on the skull is, in centimetres; below 0 is skin. */
function hairMask(style: SyntheticSubject["hair"]["style"], line: number, x: number, y: number, z: number): number {
  const side = Math.abs(x);
  const recess = style === "receding" ? 1.2 + 0.1 * Math.min(side, 5) ** 2 : 0;
  const fringe = style === "fringe" ? 1.3 : 0;
  const temple = 0.02 * Math.min(side, 5) ** 2;
  const front = y - (7.5 + line + recess - fringe + (style === "fringe" ? 0 : temple));
  // In front of the ear down to its top, then around it.
  const sideburn = y > 3 ? -0.6 + (y - 3) * 0.85 : y > 1.6 ? -0.6 - (3 - y) * 1.2 : -5.4 + Math.min(y + 2, 0) * 0.6;
  return Math.max(front, Math.min(sideburn - z, y + 8));
}

function cap({ style, line, volume }: SyntheticSubject["hair"], size: HeadSize, seed: number, depth: number) {
  const full = style === "curly" ? 1.8 + 2.6 * volume * (0.5 + 0.5 * depth) : style === "long" || style === "bun" ? 0.7 + 0.7 * volume : style === "receding" ? 0.35 : 0.8 + 1.5 * volume; // biome-ignore format: a table
  const unit = (u: number, v: number) => {
    const around = 2 * Math.PI * u;
    const polar = 2.25 * v;
    // The seam is behind.
    return [-Math.sin(polar) * Math.sin(around), Math.cos(polar), -Math.sin(polar) * Math.cos(around)] as const;
  };
  const on = (direction: readonly [number, number, number], thickness: number) =>
    [
      SKULL.x + direction[0] * (SKULL.radiusX * size.width + thickness),
      SKULL.y + direction[1] * (SKULL.radiusY + size.top + thickness),
      SKULL.z + direction[2] * (SKULL.radiusZ + thickness),
    ] as const;
  const maskAt = (direction: readonly [number, number, number]) => {
    const [x, y, z] = on(direction, 0.3);
    const ragged = 0.7 * (noise(x * 0.8, y * 0.8, seed + 4) - 0.5) + 0.4 * (noise(x * 2.2, y * 2.2, seed + 5) - 0.5);
    return hairMask(style, line, x / size.width, y - size.top, z) + ragged;
  };
  return createGrid(
    64,
    32,
    (u, v) => {
      const direction = unit(u, v);
      const rise = smoothstep(-0.3, 2.2, maskAt(direction));
      const lump =
        style === "curly"
          ? 1.1 * (noise(u * 40, v * 20, seed) - 0.5) + 0.8 * (noise(u * 18, v * 9, seed + 1) - 0.5)
          : 0.25 * (noise(u * 30, v * 3, seed) - 0.5);
      // Fuller on top than at the sides.
      const top = style === "curly" ? 1 : 0.4 + 0.6 * Math.max(direction[1], 0);
      return on(direction, 0.45 + rise * (full * top + lump));
    },
    (u, v) => [u, maskAt(unit(u, v))],
  );
}

/** Long hair: hangs from the temples around the back. */
function curtain(volume: number, size: HeadSize, seed: number) {
  const bottom = -9 - 12 * hash(1, 2, seed);
  const open = 0.2 + 0.05 * hash(2, 2, seed);
  const place = (u: number, v: number) => {
    const around = 2 * Math.PI * (open + (1 - 2 * open) * u);
    const wave = 0.35 * Math.sin(v * 9 + 5 * noise(u * 8, 0, seed)) * v;
    const out = 0.45 + 0.8 * volume + 1.1 * smoothstep(0.1, 0.7, v) + wave + 0.3 * noise(u * 40, v * 2, seed);
    const y = 5.5 + (bottom - 5.5) * v;
    return [(SKULL.radiusX * size.width + out) * Math.sin(around), y, -4.2 + (7.6 + out) * Math.cos(around)] as const;
  };
  return createGrid(56, 16, place, (u, v) => [u * 0.8, Math.min(6 * Math.min(u, 1 - u) * 4 - 0.2, 14 * (1 - v) - 0.2)]);
}

function hairMaterial(colour: readonly [number, number, number], seed: number, curly: boolean): Material {
  return {
    exponent: 16,
    wrap: NO_WRAP,
    paint(u, mask, out) {
      const strand = curly
        ? noise(u * 120, mask * 9, seed)
        : 0.6 * noise(u * 160, mask * 0.7, seed) + 0.4 * noise(u * 420, mask, seed + 3);
      const light = 0.45 + 0.95 * strand;
      for (let c = 0; c < 3; c++) out[c] = colour[c]! * light;
      out[3] = 0.16 * strand;
    },
  };
}
