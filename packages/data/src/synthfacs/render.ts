import type { Box, RgbImage } from "../image.ts";
import type { SyntheticFrame } from "./frame.ts";
import { FACE_OVAL } from "./mesh/landmark-loops.ts";
import { photograph } from "./photograph.ts";
import { type Camera, createVisibility, rasterise } from "./raster/rasterise.ts";
import { composeScene, LANDMARKS } from "./scene/compose-scene.ts";
import { shade } from "./scene/shade.ts";
import { subjectModel } from "./scene/subject-model.ts";
import { headTurn, turnScene } from "./scene/turn-head.ts";
import { SYNTHFACS_ACTION_UNITS, type SyntheticSubject } from "./subject.ts";

/** Distance of the camera from the middle of the face, in centimetres. */
const CAMERA_DISTANCE = 75;
/** Pictures of more pixels a side get a finer mesh. */
const FINE_FROM = 128;
/** Pixels are made of so many a side. */
const SUPERSAMPLING = 2;

/**
 * What the picture shows: "crop" is the models' crop, the face's box with a margin of 5 % a side and without its aspect;
 * "portrait" has head and shoulders.
 */
export type Framing = "crop" | "portrait";

/** How a picture is made. */
export interface RenderOptions {
  /** Side of the picture, in pixels. */
  readonly size: number;
  readonly framing?: Framing;
  /** Parts that name the stream of the camera's noise. */
  readonly noiseSeed: readonly (number | string)[];
}

/** A picture with what it shows. */
export interface RenderedFace {
  readonly image: RgbImage;
  /** [478 * 3]: x, y in pixels, z in pixels to the viewer; MediaPipe's landmarks. */
  readonly landmarks: Float32Array;
  /** The face's oval, in pixels. */
  readonly box: Box;
  /** Intensity 0..5 on the subject's left and right side, by FACS number. */
  readonly left: ReadonlyMap<number, number>;
  readonly right: ReadonlyMap<number, number>;
  /** In degrees, as a frame has them. */
  readonly pose: Pick<SyntheticFrame, "yaw" | "pitch" | "roll">;
}

/** Renders a face with all that is known about it. The same arguments give the same pixels on the same platform. */
export async function renderLabelledFace(
  subject: SyntheticSubject,
  frame: SyntheticFrame,
  { size, framing = "crop", noiseSeed }: RenderOptions,
): Promise<RenderedFace> {
  const model = subjectModel(subject);
  const turn = headTurn(frame);
  const scene = turnScene(composeScene(model, frame, size > FINE_FROM ? 2 : 1), turn);
  const { landmarks, box } = place(scene.landmarks, frame, framing);
  const side = size * SUPERSAMPLING;
  const camera: Camera = {
    distance: CAMERA_DISTANCE,
    focalX: box.scaleX * side,
    focalY: box.scaleY * side,
    centreX: box.centreX * side,
    centreY: box.centreY * side,
  };
  const view = createVisibility(side, side);
  for (const [index, { surface }] of scene.solids.entries()) rasterise(view, camera, surface, index);
  const linear = shade(view, scene.solids, {
    light: frame.light,
    axes: { left: turn.left, down: [-turn.up[0], -turn.up[1], -turn.up[2]] },
    background: subject.background,
  });
  const image = await photograph(linear, { size, supersampling: SUPERSAMPLING, frame, noiseSeed });
  for (let i = 0; i < landmarks.length; i++) landmarks[i] = landmarks[i]! * size;
  const { left, right, yaw, pitch, roll } = frame;
  const byNumber = (side: readonly number[]) => new Map(SYNTHFACS_ACTION_UNITS.map((number, i) => [number, side[i]!]));
  return {
    image,
    landmarks,
    left: byNumber(left),
    right: byNumber(right),
    pose: { yaw, pitch, roll },
    box: { left: box.left * size, top: box.top * size, width: box.width * size, height: box.height * size },
  };
}

/** Renders the models' crop of a face. The same arguments give the same pixels on the same platform. */
export async function renderFace(
  subject: SyntheticSubject,
  frame: SyntheticFrame,
  size: number,
  noiseSeed: readonly (number | string)[],
): Promise<RgbImage> {
  return (await renderLabelledFace(subject, frame, { size, noiseSeed })).image;
}

/** Aims the camera at the face; all in shares of the picture's side. */
function place(points: Float32Array, { offsetX, offsetY, scale }: SyntheticFrame, framing: Framing) {
  const seen = new Float32Array(LANDMARKS * 2);
  for (let i = 0; i < LANDMARKS; i++) {
    const inverse = 1 / (CAMERA_DISTANCE - points[3 * i + 2]!);
    seen[2 * i] = points[3 * i]! * inverse;
    seen[2 * i + 1] = -points[3 * i + 1]! * inverse;
  }
  const xs = FACE_OVAL.map((landmark) => seen[2 * landmark]!);
  const ys = FACE_OVAL.map((landmark) => seen[2 * landmark + 1]!);
  const left = Math.min(...xs);
  const top = Math.min(...ys);
  const width = Math.max(...xs) - left;
  const height = Math.max(...ys) - top;
  const portrait = 0.46 / height;
  const scaleX = scale * (framing === "crop" ? 1 / (1.1 * width) : portrait);
  const scaleY = scale * (framing === "crop" ? 1 / (1.1 * height) : portrait);
  const centreX = 0.5 + offsetX - (left + width / 2) * scaleX;
  const centreY = 0.5 + offsetY - (top + height / 2) * scaleY;
  const landmarks = new Float32Array(LANDMARKS * 3);
  for (let i = 0; i < LANDMARKS; i++) {
    landmarks[3 * i] = centreX + seen[2 * i]! * scaleX;
    landmarks[3 * i + 1] = centreY + seen[2 * i + 1]! * scaleY;
    landmarks[3 * i + 2] = (points[3 * i + 2]! / CAMERA_DISTANCE) * scaleX;
  }
  return {
    landmarks,
    box: {
      scaleX,
      scaleY,
      centreX,
      centreY,
      left: centreX + left * scaleX,
      top: centreY + top * scaleY,
      width: width * scaleX,
      height: height * scaleY,
    },
  };
}
