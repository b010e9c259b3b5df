import { interpolate } from "../mesh/subdivide.ts";
import type { Surface } from "../raster/rasterise.ts";
import { withLidsPulled } from "./lid-skin.ts";
import type { PhotoFace } from "./photo-face.ts";
import { photoMesh } from "./photo-mesh.ts";
import { flattened, type PhotoView } from "./photo-view.ts";

/** What shows a part of the photograph. */
export interface PhotoSurface {
  readonly kind: "skin" | "mouth" | "left-eye" | "right-eye" | "behind";
  readonly surface: Surface;
  /** [vertices * 2]: where each vertex lies on the photograph, in pixels. */
  readonly pixels: Float32Array;
}

/** How far what is in a hole lies behind its edge, in centimetres. */
const BEHIND = 1.5;
/** Eyes go on behind their lids. */
const EYE_GROWTH = 1.6;
/** How far the photograph reaches beside the face, in centimetres, and how far behind it lies. */
const REACH = 80;
const BACKGROUND = -60;

/**
 * All that can be seen: skin with the picture around it, what lies in its three holes, and the photograph behind.
 *
 * @param positions [fine vertices * 3] of the moved skin in camera space
 * @param closing how far each upper lid has come down, left and right, 0..1
 */
export function photoSurfaces(
  photo: PhotoFace,
  positions: Float32Array,
  normals: Float32Array,
  view: PhotoView,
  closing: readonly [number, number],
): readonly PhotoSurface[] {
  const { subdivision, uvs, mouthLoop, leftEyeLoop, rightEyeLoop } = photoMesh();
  const eyes = view.turned(photo.positions);
  const skin = {
    positions: flattened(view.rolled(positions)),
    normals,
    uvs,
    triangles: subdivision.triangles,
    twoSided: false,
  };
  const isStill = closing.every((share) => share <= 0);
  return [
    {
      kind: "skin",
      surface: skin,
      pixels: isStill ? photo.pixels : interpolate(subdivision, withLidsPulled(photo.basePixels, closing), 2),
    },
    patch("mouth", mouthLoop, positions, photo, view, 1),
    patch("left-eye", leftEyeLoop, eyes, photo, view, EYE_GROWTH),
    patch("right-eye", rightEyeLoop, eyes, photo, view, EYE_GROWTH),
    behind(photo, view),
  ];
}

/** A fan around the middle of a hole. */
function patch(
  kind: PhotoSurface["kind"],
  loop: readonly number[],
  positions: Float32Array,
  photo: PhotoFace,
  view: PhotoView,
  growth: number,
): PhotoSurface {
  const count = loop.length;
  const fan = (values: Float32Array, stride: number) => {
    const of = (vertex: number, c: number) => values[stride * vertex + c]!;
    const out = new Float32Array((count + 1) * stride);
    for (let c = 0; c < stride; c++) {
      const middle = loop.reduce((sum, vertex) => sum + of(vertex, c), 0) / count;
      for (const [i, vertex] of loop.entries()) out[stride * i + c] = middle + growth * (of(vertex, c) - middle);
      out[stride * count + c] = middle;
    }
    return out;
  };
  const pixels = fan(photo.pixels, 2);
  const places = fan(positions, 3);
  for (let i = 2; i < places.length; i += 3) places[i] = places[i]! - BEHIND;
  const triangles = Uint32Array.from(loop.flatMap((_, i) => [i, (i + 1) % count, count]));
  return {
    kind,
    surface: { positions: flattened(view.rolled(places)), normals: places, uvs: pixels, triangles, twoSided: true },
    pixels,
  };
}

function behind({ head }: PhotoFace, view: PhotoView): PhotoSurface {
  const corners = [[-1, -1], [1, -1], [-1, 1], [1, 1]].map(([x, y]) => [x! * REACH, y! * REACH] as const); // biome-ignore format: corners
  const positions = flattened(view.rolled(Float32Array.from(corners.flatMap(([x, y]) => [x, y, BACKGROUND]))));
  const { centrePx, pixelsPerCm } = head;
  const pixels = Float32Array.from(
    corners.flatMap(([x, y]) => [centrePx[0] + x * pixelsPerCm, centrePx[1] - y * pixelsPerCm]),
  );
  const triangles = Uint32Array.from([0, 1, 2, 2, 1, 3]);
  return { kind: "behind", surface: { positions, normals: positions, uvs: pixels, triangles, twoSided: true }, pixels };
}
