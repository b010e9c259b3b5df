import type { Colour } from "../colour.ts";
import { smoothstep } from "../mesh/displacement-field.ts";
import { createGrid } from "../mesh/grid.ts";
import { noise } from "../skin/noise.ts";
import { NO_WRAP, SKIN_WRAP, type Solid } from "./solid.ts";

/** Height of the neck's foot, in centimetres. */
export const NECK_FOOT = -14.8;

/** Neck, shoulders and ears. `width` is that of the face at its ears, as a share of the canonical one. */
export function bodySolids(
  skin: Colour,
  clothing: Colour,
  { width, strong, seed }: { readonly width: number; readonly strong: number; readonly seed: number },
): Solid[] {
  return [neck(skin, width, strong), shoulders(clothing, strong, seed), ear(skin, width, 1), ear(skin, width, -1)];
}

function neck(skin: Colour, width: number, strong: number): Solid {
  const place = (u: number, v: number) => {
    const around = 2 * Math.PI * u;
    const y = -4 + (NECK_FOOT - 1 + 4) * v;
    const foot = 1.6 * smoothstep(0.6, 1, v);
    const radius = (4.4 + 0.9 * strong) * width + foot;
    return [radius * Math.sin(around), y, -4.1 - 1.2 * v - 4.8 * Math.cos(around)] as const;
  };
  return {
    surface: { ...createGrid(24, 10, place), twoSided: false },
    castsShadow: true,
    turnsWith: "neck",
    material: {
      exponent: 12,
      wrap: SKIN_WRAP,
      paint(_, v, out) {
        const light = 0.5 + 0.5 * smoothstep(0.25, 0.85, v);
        for (let c = 0; c < 3; c++) out[c] = skin[c]! * light * (c === 0 ? 0.98 : 0.92);
        out[3] = 0.06;
      },
    },
  };
}

function shoulders(clothing: Colour, strong: number, seed: number): Solid {
  const place = (u: number, v: number) => {
    const around = 2 * Math.PI * u;
    const out = smoothstep(0, 0.55, v);
    const x = 6 + (13 + 2 * strong) * out + 1.5 * v;
    const z = 5.6 + 4 * out;
    return [
      x * Math.sin(around),
      NECK_FOOT + 1.6 - 1.4 * v - 4.5 * out - 14 * v * v,
      -5.4 - z * Math.cos(around),
    ] as const;
  };
  return {
    surface: { ...createGrid(28, 12, place), twoSided: false },
    castsShadow: true,
    turnsWith: "nothing",
    material: {
      exponent: 8,
      wrap: NO_WRAP,
      paint(u, v, out) {
        const light = (0.85 + 0.3 * noise(u * 30, v * 30, seed)) * (0.55 + 0.45 * smoothstep(0, 0.12, v));
        for (let c = 0; c < 3; c++) out[c] = clothing[c]! * light;
        out[3] = 0.02;
      },
    },
  };
}

function ear(skin: Colour, width: number, side: 1 | -1): Solid {
  // A disc beside the head: its rim rolls outward, its middle is a hollow.
  const place = (u: number, v: number) => {
    const around = 2 * Math.PI * (side > 0 ? u : 1 - u);
    const back = v * Math.cos(around) * (1.35 + 0.35 * Math.sin(around));
    const up = v * Math.sin(around) * 2.9;
    const rim = 0.5 * smoothstep(0.45, 0.85, v) - 0.35 * smoothstep(0.9, 1, v);
    const outward = 0.3 + rim + 0.45 * (back + 1.2);
    return [side * (7.2 * width + outward), 0.4 + up + 0.1 * back, -3.7 - back * 0.85 + 0.2 * outward] as const;
  };
  return {
    surface: { ...createGrid(22, 10, place), twoSided: true },
    castsShadow: true,
    turnsWith: "head",
    material: {
      exponent: 14,
      wrap: SKIN_WRAP,
      paint(_, v, out) {
        const light = 0.62 + 0.38 * smoothstep(0.3, 0.8, v);
        out[0] = skin[0] * light;
        out[1] = skin[1] * light * 0.86;
        out[2] = skin[2] * light * 0.84;
        out[3] = 0.06;
      },
    },
  };
}
