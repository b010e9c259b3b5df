import type { Surface } from "../raster/rasterise.ts";
import type { Relief } from "../skin/furrow-maps.ts";

/** What a point of a surface is made of. */
export interface Material {
  /** Writes linear red, green and blue and the strength of the highlight into `out`. */
  readonly paint: (u: number, v: number, out: Float32Array) => void;
  /** Sharpness of the highlight (Blinn 1977). */
  readonly exponent: number;
  /** How far light creeps around edges, per channel: skin lets red through. */
  readonly wrap: readonly [number, number, number];
  /** Folds that tilt the surface; the surface's uvs are then those of the face's texture. */
  readonly relief?: Relief;
  /** Share of light that reaches it from all sides; teeth and eyes lie deep. */
  readonly open?: number;
}

/** A surface with its material. */
export interface Solid {
  /** In the head's own space until the head is turned. */
  readonly surface: Surface;
  readonly material: Material;
  /** Whether it keeps light from others; what lies inside the head need not. */
  readonly castsShadow: boolean;
  /** What it turns with: the head, or nothing (the shoulders), or the neck, which twists from one to the other. */
  readonly turnsWith: "head" | "neck" | "nothing";
}

/** Matt, without colour bleeding. */
export const NO_WRAP = [0, 0, 0] as const;
/** Skin's colour bleeding. */
export const SKIN_WRAP = [0.32, 0.16, 0.1] as const;
