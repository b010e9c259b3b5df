import type { Colour } from "../colour.ts";
import type { Light } from "../frame.ts";
import { type Camera, createVisibility, rasterise, type Visibility } from "../raster/rasterise.ts";
import { FURROW_MAP_SIZE } from "../skin/furrow-maps.ts";
import type { Solid } from "./solid.ts";

/** Side of the shadow map, in texels, and how much of the scene it spans, in centimetres. */
const SHADOW_SIZE = 176;
const SHADOW_SPAN = 34;
/** Depth that a shadow must have, in centimetres: less is a surface's own slope. */
const SHADOW_BIAS = 0.25;
/** How far above its surface a point asks for light, in centimetres. */
const SHADOW_LIFT = 0.3;
/** How much a furrow's bottom darkens, per millimetre. */
const CAVITY = 0.3;

/** Directions of the head's axes in camera space: its left, and down. */
export interface HeadAxes {
  readonly left: readonly [number, number, number];
  readonly down: readonly [number, number, number];
}

/**
 * Lights what is seen: key light with its shadow, light from all sides, highlights, and the folds of skin.
 *
 * @returns [width * height * 3], linear
 */
export function shade(
  view: Visibility,
  solids: readonly Solid[],
  {
    light,
    axes,
    background,
  }: { readonly light: Light; readonly axes: HeadAxes; readonly background: readonly [Colour, Colour] },
): Float32Array {
  const { width, height } = view;
  const out = new Float32Array(width * height * 3);
  const [lx, ly, lz] = direction(light);
  const shadow = castShadow(solids, [lx, ly, lz]);
  const key: Colour = [light.key * (1 + 0.12 * light.warmth), light.key, light.key * (1 - 0.16 * light.warmth)];
  const sky: Colour = [light.ambient, light.ambient * 1.01, light.ambient * 1.03];
  const hl = Math.hypot(lx, ly, lz + 1);
  const [hx, hy, hz] = [lx / hl, ly / hl, (lz + 1) / hl];
  const paint = new Float32Array(4);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const index = view.surface[at]!;
      if (index < 0) {
        const share = Math.min(1, Math.max(0, y / height + 0.25 * (x / width - 0.5)));
        for (let c = 0; c < 3; c++) {
          out[3 * at + c] =
            (background[0][c]! + share * (background[1][c]! - background[0][c]!)) * (0.35 + 0.8 * light.ambient);
        }
        continue;
      }
      const { surface, material } = solids[index]!;
      const { triangles, normals, uvs, positions } = surface;
      const t = view.triangle[at]!;
      const i = triangles[t]!;
      const j = triangles[t + 1]!;
      const k = triangles[t + 2]!;
      const first = view.first[at]!;
      const second = view.second[at]!;
      const third = 1 - first - second;
      const u = first * uvs[2 * i]! + second * uvs[2 * j]! + third * uvs[2 * k]!;
      const v = first * uvs[2 * i + 1]! + second * uvs[2 * j + 1]! + third * uvs[2 * k + 1]!;
      let nx = first * normals[3 * i]! + second * normals[3 * j]! + third * normals[3 * k]!;
      let ny = first * normals[3 * i + 1]! + second * normals[3 * j + 1]! + third * normals[3 * k + 1]!;
      let nz = first * normals[3 * i + 2]! + second * normals[3 * j + 2]! + third * normals[3 * k + 2]!;
      if (nz < 0 && surface.twoSided) {
        nx = -nx;
        ny = -ny;
        nz = -nz;
      }
      material.paint(u, v, paint);
      let cavity = material.open ?? 1;
      if (material.relief !== undefined) {
        const size = FURROW_MAP_SIZE;
        const { heights, slopesU, slopesV } = material.relief;
        const fx = Math.min(Math.max(u * size - 0.5, 0), size - 1.001);
        const fy = Math.min(Math.max(v * size - 0.5, 0), size - 1.001);
        const texel = (fy | 0) * size + (fx | 0);
        const ax = fx - (fx | 0);
        const ay = fy - (fy | 0);
        const slopeU = between(slopesU, texel, size, ax, ay);
        const slopeV = between(slopesV, texel, size, ax, ay);
        nx -= slopeU * axes.left[0] + slopeV * axes.down[0];
        ny -= slopeU * axes.left[1] + slopeV * axes.down[1];
        nz -= slopeU * axes.left[2] + slopeV * axes.down[2];
        const depth = between(heights, texel, size, ax, ay);
        cavity *= depth < 0 ? Math.exp(CAVITY * depth) : 1 + 0.03 * depth;
      }
      const length = 1 / Math.hypot(nx, ny, nz);
      nx *= length;
      ny *= length;
      nz *= length;
      const px = first * positions[3 * i]! + second * positions[3 * j]! + third * positions[3 * k]!;
      const py = first * positions[3 * i + 1]! + second * positions[3 * j + 1]! + third * positions[3 * k + 1]!;
      const pz = first * positions[3 * i + 2]! + second * positions[3 * j + 2]! + third * positions[3 * k + 2]!;
      // From a little above the surface, else its own slope would shade it.
      const lit = shadow(px + SHADOW_LIFT * nx, py + SHADOW_LIFT * ny, pz + SHADOW_LIFT * nz);
      const facing = nx * lx + ny * ly + nz * lz;
      // More from above than from below, and most from the front, where rooms are light.
      const around = (0.62 + 0.22 * ny + 0.22 * nz) * cavity;
      const highlight = lit * light.key * paint[3]! * Math.max(0, nx * hx + ny * hy + nz * hz) ** material.exponent;
      for (let c = 0; c < 3; c++) {
        const wrap = material.wrap[c]!;
        const direct =
          Math.max(0, (facing + wrap) / (1 + wrap)) * (lit + (1 - lit) * 0.25 * wrap) * (0.4 + 0.6 * cavity);
        out[3 * at + c] = paint[c]! * (key[c]! * direct + sky[c]! * around) + highlight;
      }
    }
  }
  return out;
}

/** Bilinear between four texels. */
function between(map: Float32Array, texel: number, size: number, ax: number, ay: number): number {
  return (
    (map[texel]! * (1 - ax) + map[texel + 1]! * ax) * (1 - ay) +
    (map[texel + size]! * (1 - ax) + map[texel + size + 1]! * ax) * ay
  );
}

/** The direction to the key light, in camera space. */
function direction({ azimuth, elevation }: Light): readonly [number, number, number] {
  const a = (azimuth * Math.PI) / 180;
  const e = (elevation * Math.PI) / 180;
  return [Math.sin(a) * Math.cos(e), Math.sin(e), Math.cos(a) * Math.cos(e)];
}

/** Looks at the scene from the light; answers how lit a point is, 0..1. */
function castShadow(
  solids: readonly Solid[],
  [lx, ly, lz]: readonly [number, number, number],
): (x: number, y: number, z: number) => number {
  // An orthonormal frame whose third axis points to the light.
  const across = Math.hypot(lx, lz);
  const [ax, az] = [lz / across, -lx / across];
  const [bx, by, bz] = [ly * az, lz * ax - lx * az, -ly * ax];
  const distance = 1000;
  const scale = SHADOW_SIZE / SHADOW_SPAN;
  const camera: Camera = {
    distance,
    focalX: distance * scale,
    focalY: distance * scale,
    centreX: SHADOW_SIZE / 2,
    centreY: SHADOW_SIZE / 2,
  };
  const view = createVisibility(SHADOW_SIZE, SHADOW_SIZE);
  for (const { surface, castsShadow } of solids) {
    if (!castsShadow) continue;
    const from = surface.positions;
    const positions = new Float32Array(from.length);
    for (let i = 0; i < from.length; i += 3) {
      const x = from[i]!;
      const y = from[i + 1]!;
      const z = from[i + 2]!;
      positions[i] = ax * x + az * z;
      positions[i + 1] = bx * x + by * y + bz * z;
      positions[i + 2] = lx * x + ly * y + lz * z;
    }
    rasterise(view, camera, { ...surface, positions }, 0);
  }
  const { depth } = view;
  return (x, y, z) => {
    const height = lx * x + ly * y + lz * z;
    const inverse = 1 / (distance - height);
    const sx = camera.centreX + camera.focalX * (ax * x + az * z) * inverse - 0.5;
    const sy = camera.centreY - camera.focalY * (bx * x + by * y + bz * z) * inverse - 0.5;
    const left = Math.floor(sx);
    const top = Math.floor(sy);
    if (left < 1 || top < 1 || left >= SHADOW_SIZE - 2 || top >= SHADOW_SIZE - 2) return 1;
    const limit = 1 / (distance - height - SHADOW_BIAS);
    // Percentage-closer filtering over 3 x 3 texels (Reeves et al. 1987), smooth between them.
    const fx = sx - left;
    const fy = sy - top;
    let open = 0;
    for (let dy = -1; dy <= 2; dy++) {
      const weightY = dy === -1 ? 1 - fy : dy === 2 ? fy : 1;
      for (let dx = -1; dx <= 2; dx++) {
        if (depth[(top + dy) * SHADOW_SIZE + left + dx]! > limit) continue;
        open += weightY * (dx === -1 ? 1 - fx : dx === 2 ? fx : 1);
      }
    }
    return open / 9;
  };
}
