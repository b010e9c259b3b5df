import type { Colour } from "../colour.ts";
import { jawPoint } from "../expression/pose-face.ts";
import { smoothstep } from "../mesh/displacement-field.ts";
import { createGrid } from "../mesh/grid.ts";
import { vertexNormals } from "../raster/vertex-normals.ts";
import { SKIN_WRAP, type Solid } from "./solid.ts";

/** How far the arch of teeth goes back from its front, in centimetres. */
const ARCH_DEPTH = 3.6;

/** What is behind the lips. */
export interface MouthLook {
  readonly lips: Colour;
  /** 0 whitest, 1 yellowest. */
  readonly teeth: number;
  /** Height at which the lips meet at rest. */
  readonly line: number;
  /** z of the lips' inside: teeth stand behind it. */
  readonly front: number;
  /** Half the resting mouth's width, in centimetres. */
  readonly halfWidth: number;
  /** The jaw's turn, 0..1. */
  readonly jaw: number;
}

/**
 * The inside of the mouth: lining, teeth and tongue.
 *
 * @param loop fine vertices of the lips' inner edge in order
 */
export function mouthSolids(loop: readonly number[], fine: Float32Array, look: MouthLook): Solid[] {
  return [lining(loop, fine, look), teeth(look, "upper"), teeth(look, "lower"), tongue(look)];
}

/** Goes from the lips' inner edge back into the dark. */
function lining(loop: readonly number[], fine: Float32Array, { lips }: MouthLook): Solid {
  const rings = [
    { shrink: 1, back: 0 },
    { shrink: 0.99, back: 0.35 },
    { shrink: 0.97, back: 0.9 },
    { shrink: 0.9, back: 3 },
    { shrink: 0, back: 4.5 },
  ];
  const count = loop.length;
  const centre = [0, 1, 2].map((c) => loop.reduce((sum, vertex) => sum + fine[3 * vertex + c]!, 0) / count);
  const positions = new Float32Array(count * rings.length * 3);
  const uvs = new Float32Array(count * rings.length * 2);
  const triangles: number[] = [];
  for (const [k, { shrink, back }] of rings.entries()) {
    for (const [i, vertex] of loop.entries()) {
      const at = k * count + i;
      for (let c = 0; c < 2; c++) {
        positions[3 * at + c] = centre[c]! + shrink * (fine[3 * vertex + c]! - centre[c]!);
      }
      positions[3 * at + 2] = fine[3 * vertex + 2]! - back;
      uvs[2 * at] = k / (rings.length - 1);
      if (k + 1 === rings.length) continue;
      const next = k * count + ((i + 1) % count);
      triangles.push(at, next, at + count, next, next + count, at + count);
    }
  }
  const indices = Uint32Array.from(triangles);
  return {
    surface: { positions, uvs, normals: vertexNormals(positions, indices), triangles: indices, twoSided: true },
    castsShadow: false,
    turnsWith: "head",
    material: {
      exponent: 30,
      wrap: SKIN_WRAP,
      paint(u, _, out) {
        const light = 0.75 * smoothstep(0.42, 0, u) ** 1.5;
        out[0] = lips[0] * light + 0.022;
        out[1] = lips[1] * light * 0.8 + 0.006;
        out[2] = lips[2] * light * 0.8 + 0.006;
        out[3] = 0.3 * light;
      },
    },
  };
}

function teeth({ line, front, halfWidth, jaw, teeth: yellow }: MouthLook, row: "upper" | "lower"): Solid {
  const top = row === "upper" ? line + 1.1 : line + 0.1;
  const bottom = row === "upper" ? line - 0.3 : line - 1.1;
  const z = front - (row === "upper" ? 0.5 : 0.8);
  const archWidth = 2.4 * (halfWidth / 2.15) ** 0.7;
  const place = (u: number, v: number) => {
    const angle = (u - 0.5) * 2.5;
    const x = archWidth * Math.sin(angle);
    // Edges rise a little towards the cheeks.
    const edge = 0.16 * (u - 0.5) ** 2 * 4;
    const y = top + (bottom - top) * v + (row === "upper" ? edge * v : -edge * (1 - v));
    const point = [x, y, z - ARCH_DEPTH * (1 - Math.cos(angle))] as const;
    return row === "upper" ? point : jawPoint(point, jaw);
  };
  const grid = createGrid(32, 4, place);
  const count = row === "upper" ? 12 : 14;
  const toEdge = row === "upper" ? 1 : 0;
  return {
    surface: { ...grid, twoSided: true },
    castsShadow: false,
    turnsWith: "head",
    material: {
      exponent: 60,
      wrap: [0.2, 0.2, 0.2],
      open: 0.85,
      paint(u, v, out) {
        // Teeth are narrower to the sides, as an arch shows them.
        const place = (u - 0.5) * count;
        const gap = Math.abs(place - Math.floor(place) - 0.5) * 2;
        const between = 1 - 0.5 * smoothstep(0.8, 1, gap);
        const side = 1 - 0.75 * smoothstep(0.16, 0.5, Math.abs(u - 0.5));
        const depth = toEdge === 1 ? v : 1 - v;
        const gum = smoothstep(0.34, 0.26, depth + 0.06 * (1 - gap));
        const light = between * side * (0.75 + 0.25 * depth) * (row === "upper" ? 1 : 0.72);
        out[0] = light * (0.92 + gum * (0.42 - 0.92));
        out[1] = light * (0.89 - 0.05 * yellow + gum * (0.16 - 0.89));
        out[2] = light * (0.8 - 0.17 * yellow + gum * (0.16 - 0.8));
        out[3] = 0.45 * side;
      },
    },
  };
}

function tongue({ line, front, jaw }: MouthLook): Solid {
  const place = (u: number, v: number) => {
    const along = 2 * Math.PI * u;
    const polar = Math.PI * v;
    const groove = 0.12 * Math.exp(-((Math.sin(polar) * Math.cos(along)) ** 2) * 18);
    return jawPoint(
      [
        1.75 * Math.sin(polar) * Math.cos(along),
        line - 1.15 + 0.55 * Math.cos(polar) - groove,
        front - 2.9 + 2.1 * Math.sin(polar) * Math.sin(along),
      ],
      jaw,
    );
  };
  return {
    surface: { ...createGrid(20, 10, place), twoSided: true },
    castsShadow: false,
    turnsWith: "head",
    material: {
      exponent: 25,
      wrap: SKIN_WRAP,
      open: 0.5,
      paint(_, __, out) {
        out[0] = 0.4;
        out[1] = 0.13;
        out[2] = 0.13;
        out[3] = 0.25;
      },
    },
  };
}
