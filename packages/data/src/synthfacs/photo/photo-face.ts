import { CANONICAL_VERTICES } from "../canonical-face.ts";
import type { Colour } from "../colour.ts";
import { combineActionUnits } from "../expression/combine-action-units.ts";
import { type Eyeball, eyeballsOf } from "../expression/lid-pose.ts";
import { poseBase } from "../expression/pose-face.ts";
import { type EyeLandmarks, LEFT_EYE, LOWER_LIP, RIGHT_EYE, UPPER_LIP } from "../mesh/landmark-loops.ts";
import { interpolate } from "../mesh/subdivide.ts";
import { vertexNormals } from "../raster/vertex-normals.ts";
import { triple } from "../triple.ts";
import { estimateLight, type FaceLight } from "./estimate-light.ts";
import { createEyeLayer, type EyeLayer, isInside } from "./eye-layer.ts";
import { type FittedHead, fitHead } from "./fit-head.ts";
import { type LinearImage, linearImage, type Pyramid, pyramidOf, sampleImage } from "./linear-image.ts";
import { photoMesh, withRings } from "./photo-mesh.ts";
import type { Portrait } from "./portrait.ts";

/** All of a portrait that no frame changes. */
export interface PhotoFace {
  readonly portrait: Portrait;
  readonly head: FittedHead;
  readonly eyeballs: readonly [Eyeball, Eyeball];
  /** [base vertices * 3]: the head at rest, as action units move it. */
  readonly atRest: Float32Array;
  readonly pyramid: Pyramid;
  /** [fine vertices * 3] in camera space, and [fine vertices * 2] in the photograph's pixels. */
  readonly positions: Float32Array;
  readonly pixels: Float32Array;
  /** [base vertices * 2]: the same of the mesh that is not subdivided. */
  readonly basePixels: Float32Array;
  readonly normals: Float32Array;
  readonly light: FaceLight;
  /** What a white surface that faces the camera looks like. */
  readonly white: Colour;
  readonly lips: Colour;
  /** Left, right. */
  readonly eyes: readonly [EyeLayer, EyeLayer];
}

const faces = new WeakMap<Portrait, PhotoFace>();

/** Prepares a portrait, once for each. */
export function photoFace(portrait: Portrait): PhotoFace {
  let face = faces.get(portrait);
  if (face === undefined) {
    face = createPhotoFace(portrait);
    faces.set(portrait, face);
  }
  return face;
}

function createPhotoFace(portrait: Portrait): PhotoFace {
  const head = fitHead(portrait);
  const mesh = photoMesh();
  const base = withRings(head.seen, head.seen);
  const positions = interpolate(mesh.subdivision, base, 3);
  const pixels = pixelsOf(positions, head);
  const normals = vertexNormals(positions, mesh.subdivision.triangles);
  const image = linearImage(portrait.image);
  const mouth = loopOf([...UPPER_LIP[0]!, ...LOWER_LIP[0]!.slice(1, -1).toReversed()], portrait);
  const openings = [LEFT_EYE, RIGHT_EYE].map((eye) => loopOf(eyeRing(eye), portrait));
  const skin: number[] = [];
  for (let i = 0; i < CANONICAL_VERTICES; i++) {
    const [x, y] = [pixels[2 * i]!, pixels[2 * i + 1]!];
    if (![mouth, ...openings].some((loop) => isInside(loop, x, y))) skin.push(i);
  }
  const light = estimateLight(image, pixels, normals, skin);
  const eyeballs = eyeballsOf(head.resting);
  const neutral = combineActionUnits(new Map());
  const edgeOf = (loop: readonly number[]) => loop.flatMap((vertex) => [pixels[2 * vertex]!, pixels[2 * vertex + 1]!]);
  const at = (landmark: number) => [portrait.landmarks[3 * landmark]!, portrait.landmarks[3 * landmark + 1]!] as const;
  const eyeOf = ({ outerCorner, innerCorner }: EyeLandmarks, loop: readonly number[], iris: number) =>
    createEyeLayer(image, {
      edge: edgeOf(loop),
      outerCorner: at(outerCorner),
      innerCorner: at(innerCorner),
      iris: at(iris),
    });
  return {
    portrait,
    head,
    eyeballs,
    atRest: poseBase(head.resting, eyeballs, { left: neutral, right: neutral }),
    pyramid: pyramidOf(image),
    positions,
    pixels,
    basePixels: pixelsOf(base, head),
    normals,
    light,
    white: whiteOf(image, openings, light.skin),
    lips: colourOf(image, [...UPPER_LIP[1]!, ...LOWER_LIP[1]!].map(at)),
    eyes: [eyeOf(LEFT_EYE, mesh.leftEyeLoop, 473), eyeOf(RIGHT_EYE, mesh.rightEyeLoop, 468)],
  };
}

function pixelsOf(positions: Float32Array, { centrePx, pixelsPerCm }: FittedHead): Float32Array {
  const pixels = new Float32Array((positions.length / 3) * 2);
  for (let i = 0; i < positions.length / 3; i++) {
    pixels[2 * i] = centrePx[0] + positions[3 * i]! * pixelsPerCm;
    pixels[2 * i + 1] = centrePx[1] - positions[3 * i + 1]! * pixelsPerCm;
  }
  return pixels;
}

function eyeRing({ outerCorner, innerCorner, upperEdge, lowerEdge }: EyeLandmarks): readonly number[] {
  return [outerCorner, ...upperEdge, innerCorner, ...lowerEdge.toReversed()];
}

function loopOf(ring: readonly number[], { landmarks }: Portrait): readonly number[] {
  return ring.flatMap((landmark) => [landmarks[3 * landmark]!, landmarks[3 * landmark + 1]!]);
}

/** How much brighter than skin white can be. */
const WHITE_OVER_SKIN = [2.8, 7] as const;
/** Share of light that the white of an eye throws back, in the shade of its lids. */
const SCLERA = 0.62;

/** What white looks like, from the whites of the eyes; skin bounds it, since eyes are small and reflect. */
function whiteOf(image: LinearImage, openings: readonly (readonly number[])[], skin: Colour): Colour {
  const brightest: Colour[] = [];
  for (const edge of openings) {
    const seen: Colour[] = [];
    const xs = edge.filter((_, i) => i % 2 === 0);
    const ys = edge.filter((_, i) => i % 2 === 1);
    const out = new Float32Array(3);
    for (let y = Math.floor(Math.min(...ys)) + 0.5; y < Math.max(...ys); y++) {
      for (let x = Math.floor(Math.min(...xs)) + 0.5; x < Math.max(...xs); x++) {
        if (!isInside(edge, x, y)) continue;
        sampleImage(image, x, y, out);
        seen.push([out[0]!, out[1]!, out[2]!]);
      }
    }
    seen.sort((p, q) => luminance(p) - luminance(q));
    const bright = seen[Math.floor(0.9 * seen.length)];
    if (bright !== undefined) brightest.push(bright);
  }
  const mean = (c: number) => brightest.reduce((sum, each) => sum + each[c]!, 0) / Math.max(brightest.length, 1);
  const eyeWhite: Colour = [mean(0), mean(1), mean(2)];
  const seen = luminance(eyeWhite) / SCLERA;
  const bounded = Math.min(Math.max(seen, WHITE_OVER_SKIN[0] * luminance(skin)), WHITE_OVER_SKIN[1] * luminance(skin));
  // Half way to grey: small whites take their colour from the iris and the skin around.
  return triple((c) => bounded * (0.5 + (0.5 * eyeWhite[c]) / Math.max(luminance(eyeWhite), 1e-6)));
}

function colourOf(image: LinearImage, places: readonly (readonly [number, number])[]): Colour {
  const out = new Float32Array(3);
  const sum: [number, number, number] = [0, 0, 0];
  for (const [x, y] of places) {
    sampleImage(image, x, y, out);
    for (let c = 0; c < 3; c++) sum[c] = sum[c]! + out[c]! / places.length;
  }
  return sum;
}

function luminance([red, green, blue]: Colour): number {
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
