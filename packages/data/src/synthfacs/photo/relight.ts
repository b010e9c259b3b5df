import type { Light } from "../frame.ts";

/** How strongly the side of a frame's light changes the photograph's, and how strongly its brightness. */
const FROM_SIDE = 0.35;
const BRIGHTNESS = 0.5;
/** Key and ambient light of the average frame together. */
const AVERAGE = 1.03;

/** Writes what light does to a surface's colour, by its normal and how far it belongs to the face. */
export type Relighting = (x: number, y: number, z: number, onFace: number, out: Float32Array) => void;

/** What a frame's light adds to the photograph's: brighter or darker, warmer or colder, and on the face from its side. */
export function relightingOf(light: Light | undefined): Relighting {
  if (light === undefined) return (_, __, ___, ____, out) => out.fill(1);
  const { azimuth, elevation, key, ambient, warmth } = light;
  const [a, e] = [(azimuth * Math.PI) / 180, (elevation * Math.PI) / 180];
  const [lx, ly, lz] = [Math.sin(a) * Math.cos(e), Math.sin(e), Math.cos(a) * Math.cos(e)];
  const level = 1 + BRIGHTNESS * (key + ambient - AVERAGE);
  return (x, y, z, onFace, out) => {
    // What faces the camera stays as bright as it is.
    const fromSide = 1 + onFace * FROM_SIDE * key * (x * lx + y * ly + (z - 1) * lz);
    out[0] = level * fromSide * (1 + 0.06 * warmth);
    out[1] = level * fromSide;
    out[2] = level * fromSide * (1 - 0.08 * warmth);
  };
}
