import type { Box, RgbImage } from "../../image.ts";
import { CANONICAL_VERTICES } from "../canonical-face.ts";
import { plainLevelFromLinear } from "../colour.ts";
import { combineActionUnits } from "../expression/combine-action-units.ts";
import { type Expression, poseBase } from "../expression/pose-face.ts";
import { interpolate } from "../mesh/subdivide.ts";
import { photograph } from "../photograph.ts";
import { createVisibility, rasterise } from "../raster/rasterise.ts";
import { vertexNormals } from "../raster/vertex-normals.ts";
import { reliefOf } from "../skin/furrow-maps.ts";
import { furrowsOf } from "../skin/furrows-of.ts";
import { SYNTHFACS_ACTION_UNITS } from "../subject.ts";
import { turn } from "./fit-head.ts";
import { type PhotoFace, photoFace } from "./photo-face.ts";
import type { PhotoFrame } from "./photo-frame.ts";
import { photoMesh, withRings } from "./photo-mesh.ts";
import { drawMouth } from "./photo-mouth.ts";
import { photoSurfaces } from "./photo-surfaces.ts";
import { aimAt, type PhotoView, photoView } from "./photo-view.ts";
import type { Portrait } from "./portrait.ts";
import { shadePhoto } from "./shade-photo.ts";

const SUPERSAMPLING = 2;
/** Age at which furrows are as deep as they were drawn: the photograph has lines of its own. */
const AGE = 0.25;
/** Middle of the upper lids' edges, left and right. */
const LIDS = [386, 159] as const;
/** The upper lip's inner edge. */
const UPPER_LIP_EDGE = [13, 82, 312, 80, 310];

/** A picture made of a portrait, with what it shows. */
export interface RenderedPhoto {
  readonly image: RgbImage;
  /** [478 * 3]: x, y in pixels, z in pixels to the viewer; irises turn with the head. */
  readonly landmarks: Float32Array;
  /** The rectangle around the mesh's landmarks, in pixels. */
  readonly box: Box;
  /** In degrees, as a frame of a drawn face has them: the portrait's pose with the frame's turn. */
  readonly pose: PhotoView["pose"];
}

/**
 * Moves the face of a portrait and renders the models' crop of it. The same arguments give the same pixels on the same
 * platform.
 *
 * @param options.size side of the picture, in pixels
 */
export async function renderPhoto(
  portrait: Portrait,
  frame: PhotoFrame,
  { size, noiseSeed }: { readonly size: number; readonly noiseSeed: readonly (number | string)[] },
): Promise<RenderedPhoto> {
  const photo = photoFace(portrait);
  const { head, atRest } = photo;
  const { subdivision, baseCount, mouthLoop, faceTriangles, uvs } = photoMesh();
  const side = size * SUPERSAMPLING;
  const byNumber = (half: readonly number[]) => new Map(SYNTHFACS_ACTION_UNITS.map((number, i) => [number, half[i]!]));
  const [left, right] = [byNumber(frame.left), byNumber(frame.right)];
  const expression = { left: combineActionUnits(left), right: combineActionUnits(right) };
  const base = poseBase(head.resting, photo.eyeballs, expression);
  const view = photoView(head, frame);
  const moved = view.turned(movedLandmarks(photo, base));
  const positions = interpolate(subdivision, withRings(moved, head.seen), 3);
  const normals = vertexNormals(positions, subdivision.triangles);
  const { camera, landmarks, box, pixelsPerCm } = aimAt(view.rolled(moved), frame, side);

  const closing = closingOf(expression);
  const surfaces = photoSurfaces(photo, positions, normals, view, closing);
  const seen = createVisibility(side, side);
  for (const [index, { surface }] of surfaces.entries()) rasterise(seen, camera, surface, index);
  const gap = base[3 * 13 + 1]! - base[3 * 14 + 1]!;
  const ownBase = new Float32Array(baseCount * 3);
  ownBase.set(base.subarray(0, 3 * CANONICAL_VERTICES));
  const mouth = {
    loop: mouthLoop,
    fine: interpolate(subdivision, ownBase, 3),
    jaw: 0.5 * (expression.left.jaw + expression.right.jaw),
    forward: Math.min(...UPPER_LIP_EDGE.map((lip) => base[3 * lip + 2]! - atRest[3 * lip + 2]!)),
  };
  const skin = { positions, normals, uvs, triangles: faceTriangles, twoSided: false };
  const axes = view.directions(Float32Array.from([1, 0, 0, 0, -1, 0]));
  const linear = shadePhoto(seen, photo, {
    surfaces,
    normals,
    relief: reliefOf(new Map([...furrowsOf({ age: AGE }, left, right)].filter(([name]) => name !== "lid-fold"))),
    axes: { left: axes.subarray(0, 3), down: axes.subarray(3) },
    light: frame.light,
    lidWays: LIDS.map((lid) => Math.abs(base[3 * lid + 1]! - atRest[3 * lid + 1]!)) as [number, number],
    closing,
    mouth: gap < 0.01 ? undefined : drawMouth(photo, mouth, { side, camera, skin, view }),
    mouthGap: gap,
    pixelsPerSample: head.pixelsPerCm / pixelsPerCm,
  });
  const camera8 = { size, supersampling: SUPERSAMPLING, frame, noiseSeed, toLevel: plainLevelFromLinear };
  const share = 1 / SUPERSAMPLING;
  return {
    image: await photograph(linear, camera8),
    landmarks: landmarks.map((value) => value * share),
    box: { left: box.left * share, top: box.top * share, width: box.width * share, height: box.height * share },
    pose: view.pose,
  };
}

/** The landmarks where they were found, moved as action units move the head at rest, [478 * 3] in camera space. */
function movedLandmarks({ head, atRest }: PhotoFace, base: Float32Array): Float32Array {
  const moved = head.seen.slice();
  for (let i = 0; i < 3 * CANONICAL_VERTICES; i += 3) {
    const way = turn(head.rotation, [
      base[i]! - atRest[i]!,
      base[i + 1]! - atRest[i + 1]!,
      base[i + 2]! - atRest[i + 2]!,
    ]);
    for (let c = 0; c < 3; c++) moved[i + c] = moved[i + c]! + way[c]!;
  }
  return moved;
}

function closingOf({ left, right }: Expression): readonly [number, number] {
  const share = (lid: number) => Math.min(Math.max(lid, 0), 1);
  return [share(left.upperLid), share(right.upperLid)];
}
