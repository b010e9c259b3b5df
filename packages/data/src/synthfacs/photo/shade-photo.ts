import type { Light } from "../frame.ts";
import { smoothstep } from "../mesh/displacement-field.ts";
import type { Visibility } from "../raster/rasterise.ts";
import { FURROW_MAP_SIZE, type Relief } from "../skin/furrow-maps.ts";
import { brightnessOf } from "./estimate-light.ts";
import { sampleImage } from "./linear-image.ts";
import type { PhotoFace } from "./photo-face.ts";
import { photoMesh } from "./photo-mesh.ts";
import type { DrawnMouth } from "./photo-mouth.ts";
import type { PhotoSurface } from "./photo-surfaces.ts";
import { relightingOf } from "./relight.ts";

/** What a picture is shaded with. */
export interface PhotoShading {
  readonly surfaces: readonly PhotoSurface[];
  /** [fine vertices * 3] of the moved skin. */
  readonly normals: Float32Array;
  readonly relief: Relief;
  /** The head's axes in camera space. */
  readonly axes: { readonly left: ArrayLike<number>; readonly down: ArrayLike<number> };
  readonly light: Light | undefined;
  /** How far the upper lids have moved, left and right, in centimetres, and how far they have closed, 0..1. */
  readonly lidWays: readonly [number, number];
  readonly closing: readonly [number, number];
  readonly mouth: DrawnMouth | undefined;
  /** Gap between the lips, in centimetres. */
  readonly mouthGap: number;
  /** Pixels of the photograph for one of the picture's samples. */
  readonly pixelsPerSample: number;
}

/** How much a furrow's bottom darkens, per millimetre, and how much of its slopes the camera sees. */
const CAVITY = 0.22;
const SLOPE = 0.7;
/** Bounds of what shading does to a pixel: more would be the estimate's error. */
const DARKEST = 0.4;
const LIGHTEST = 1.5;
/** Light creeps through skin, red the furthest: what shading does to each channel, as a power. */
const SKIN_POWERS = [0.8, 1.05, 1.1] as const;
/** How dark lashes are on a closed lid. */
const LASHES = 0.75;

/**
 * Colours what is seen with the photograph, times the ratio of its shading after and before the movement (the expression
 * ratio of Liu, Shan and Zhang 2001), which turned surfaces and furrows change.
 *
 * @returns [width * height * 3], linear
 */
export function shadePhoto(view: Visibility, photo: PhotoFace, shading: PhotoShading): Float32Array {
  const { surfaces, normals, axes, mouth, mouthGap, lidWays, closing } = shading;
  const { share, folding, lashes } = photoMesh();
  const out = new Float32Array(view.width * view.height * 3);
  const level = Math.min(Math.max(Math.round(Math.log2(shading.pixelsPerSample)), 0), photo.pyramid.length - 1);
  const image = photo.pyramid[level]!;
  const shrink = 2 ** -level;
  const relight = relightingOf(shading.light);
  const colour = new Float32Array(3);
  const hidden = new Float32Array(3);
  const gain = new Float32Array(3);
  for (let at = 0; at < view.surface.length; at++) {
    const index = view.surface[at]!;
    if (index < 0) continue;
    const { kind, surface, pixels } = surfaces[index]!;
    const { triangles, uvs } = surface;
    const t = view.triangle[at]!;
    const [i, j, k] = [triangles[t]!, triangles[t + 1]!, triangles[t + 2]!];
    const [first, second] = [view.first[at]!, view.second[at]!];
    const third = 1 - first - second;
    const mix = (values: Float32Array, stride: number, c: number) =>
      first * values[stride * i + c]! + second * values[stride * j + c]! + third * values[stride * k + c]!;
    const [x, y] = [mix(pixels, 2, 0), mix(pixels, 2, 1)];
    sampleImage(image, x * shrink, y * shrink, colour);
    relight(0, 0, 1, 0, gain);
    if (kind === "skin") {
      const onFace = mix(share, 1, 0);
      const before = unit(mix(photo.normals, 3, 0), mix(photo.normals, 3, 1), mix(photo.normals, 3, 2));
      const after = unit(mix(normals, 3, 0), mix(normals, 3, 1), mix(normals, 3, 2));
      const fold = foldAt(shading.relief, mix(uvs, 2, 0), mix(uvs, 2, 1));
      const folds = mix(folding, 1, 0);
      const [u, v] = [SLOPE * folds * fold.u, SLOPE * folds * fold.v];
      const tilted = unit(
        after[0] - u * axes.left[0]! - v * axes.down[0]!,
        after[1] - u * axes.left[1]! - v * axes.down[1]!,
        after[2] - u * axes.left[2]! - v * axes.down[2]!,
      );
      const cavity = fold.depth < 0 ? Math.exp(CAVITY * folds * fold.depth) : 1;
      const lash = mix(lashes, 1, 0);
      const shut = closing[mix(uvs, 2, 0) > 0.5 ? 0 : 1];
      const lid = 1 - LASHES * shut * smoothstep(0.65, 1, lash);
      const change = (cavity * brightnessOf(photo.light, ...tilted)) / brightnessOf(photo.light, ...before);
      const ratio = Math.min(Math.max(1 + onFace * (change - 1), DARKEST), LIGHTEST);
      relight(tilted[0], tilted[1], tilted[2], onFace, gain);
      for (let c = 0; c < 3; c++) colour[c] = colour[c]! * lid * ratio ** SKIN_POWERS[c]!;
    } else if (kind === "mouth") {
      if (mouth !== undefined && mouth.view.surface[at]! > 0) {
        const drawn = smoothstep(0.03, 0.15, mouthGap);
        for (let c = 0; c < 3; c++) colour[c] = colour[c]! + drawn * (mouth.colours[3 * at + c]! - colour[c]!);
      }
    } else if (kind !== "behind") {
      const which = kind === "left-eye" ? 0 : 1;
      const drawn = smoothstep(0.005, 0.04, lidWays[which]);
      if (drawn > 0) {
        const eye = photo.eyes[which];
        sampleImage(eye, x - eye.left, y - eye.top, hidden);
        for (let c = 0; c < 3; c++) colour[c] = colour[c]! + drawn * (hidden[c]! - colour[c]!);
      }
    }
    for (let c = 0; c < 3; c++) out[3 * at + c] = colour[c]! * gain[c]!;
  }
  return out;
}

function unit(x: number, y: number, z: number): readonly [number, number, number] {
  const length = 1 / (Math.hypot(x, y, z) || 1);
  return [x * length, y * length, z * length];
}

/** Slopes and depth of the relief at a place of the face's texture, bilinear. */
function foldAt({ heights, slopesU, slopesV }: Relief, u: number, v: number) {
  const size = FURROW_MAP_SIZE;
  const fx = Math.min(Math.max(u * size - 0.5, 0), size - 1.001);
  const fy = Math.min(Math.max(v * size - 0.5, 0), size - 1.001);
  const texel = (fy | 0) * size + (fx | 0);
  const ax = fx - (fx | 0);
  const ay = fy - (fy | 0);
  const between = (map: Float32Array) =>
    (map[texel]! * (1 - ax) + map[texel + 1]! * ax) * (1 - ay) +
    (map[texel + size]! * (1 - ax) + map[texel + size + 1]! * ax) * ay;
  return { u: between(slopesU), v: between(slopesV), depth: between(heights) };
}
