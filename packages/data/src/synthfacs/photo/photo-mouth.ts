import type { Colour } from "../colour.ts";
import type { Light } from "../frame.ts";
import type { Camera, Surface, Visibility } from "../raster/rasterise.ts";
import { createVisibility, rasterise } from "../raster/rasterise.ts";
import { mouthSolids } from "../scene/mouth.ts";
import { shade } from "../scene/shade.ts";
import { NO_WRAP, type Solid } from "../scene/solid.ts";
import { triple } from "../triple.ts";
import type { PhotoFace } from "./photo-face.ts";
import { flattened, type PhotoView } from "./photo-view.ts";

const BLACK: Colour = [0, 0, 0];
/** Middle teeth: nobody sees those of a closed mouth. */
const TEETH = 0.4;

/** What is behind parted lips, lit like the photograph's face. */
export interface DrawnMouth {
  readonly view: Visibility;
  /** [width * height * 3], linear */
  readonly colours: Float32Array;
}

/** The lips of a moved face. */
export interface MovedMouth {
  /** Fine vertices of the lips' inner edge. */
  readonly loop: readonly number[];
  /** [fine vertices * 3] in the head's own space. */
  readonly fine: Float32Array;
  /** The jaw's turn, 0..1. */
  readonly jaw: number;
  /** How far the upper lip has moved to the viewer, in centimetres. */
  readonly forward: number;
}

/**
 * Draws teeth, tongue and lining as SynthFACS does, in the photograph's light and white.
 *
 * @param options.side of the picture, in samples
 * @param options.skin the face in camera space, which keeps light from the mouth
 */
export function drawMouth(
  photo: PhotoFace,
  { loop, fine, jaw, forward }: MovedMouth,
  {
    side,
    camera,
    skin,
    view,
  }: { readonly side: number; readonly camera: Camera; readonly skin: Surface; readonly view: PhotoView },
): DrawnMouth {
  const { atRest, white, lips, light } = photo;
  const lip = 3 * 13;
  const inside = mouthSolids(loop, fine, {
    lips: triple((c) => Math.min(lips[c] / white[c], 0.6)),
    teeth: TEETH,
    line: atRest[lip + 1]!,
    front: atRest[lip + 2]! + Math.min(forward, 0),
    halfWidth: 0.5 * (atRest[3 * 308]! - atRest[3 * 78]!),
    jaw,
  }).map((solid) => ({
    ...solid,
    surface: {
      ...solid.surface,
      positions: view.rolled(view.fromHead(solid.surface.positions)),
      normals: view.rolled(view.directions(solid.surface.normals)),
    },
  }));
  const face: Solid = {
    surface: { ...skin, positions: view.rolled(skin.positions), normals: view.rolled(skin.normals) },
    castsShadow: true,
    turnsWith: "head",
    material: { exponent: 1, wrap: NO_WRAP, paint: (_, __, out) => out.fill(0) },
  };
  const seen = createVisibility(side, side);
  const solids = [face, ...inside];
  for (const [index, { surface }] of solids.entries()) {
    // As in the picture of the photograph, which has no perspective of its own.
    rasterise(seen, camera, { ...surface, positions: flattened(surface.positions, camera.distance) }, index);
  }
  const colours = shade(seen, solids, {
    light: lightOf(light),
    axes: { left: [1, 0, 0], down: [0, -1, 0] },
    background: [BLACK, BLACK],
  });
  for (let i = 0; i < colours.length; i++) colours[i] = colours[i]! * white[i % 3]!;
  return { view: seen, colours };
}

/** The key light and the light around that light white, facing the camera, as 1. */
function lightOf({ around, towards }: PhotoFace["light"]): Light {
  const [x, y, z] = towards;
  const strength = Math.hypot(x, y, z);
  const share = Math.min(Math.max(strength / (strength + Math.max(around, 0)), 0.2), 0.7);
  const front = Math.max(z, 0.5 * Math.hypot(x, y), 1e-3);
  return {
    azimuth: (Math.atan2(x, front) * 180) / Math.PI,
    elevation: (Math.atan2(y, Math.hypot(x, front)) * 180) / Math.PI,
    key: share,
    ambient: (1 - share) / 0.84,
    warmth: 0,
  };
}
