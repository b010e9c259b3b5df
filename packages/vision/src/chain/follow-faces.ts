import type { Box, RgbImage } from "@duchenne/data";
import { LEFT_EYE_CORNER, RIGHT_EYE_CORNER } from "../eye-corners.ts";
import { meshBox } from "../mesh-box.ts";
import { overlap, SAME_FACE_OVERLAP } from "../tracking/overlap.ts";
import type { FaceDetection } from "./blaze-face.ts";
import type { FaceFinder, FollowPlan, FoundFace, FoundFaces } from "./face-chain.ts";
import type { Region } from "./warp.ts";

/** A followed face counts as so much larger than a new one, so that two alike do not take turns. */
const FOLLOWED_ADVANTAGE = 1.5;
/** The landmark model's input is the box of the face grown by this factor (as MediaPipe does). */
export const REGION_GROWTH = 1.5;
/** MediaPipe's default for the presence from which a crop counts as a face. */
const MIN_PRESENCE = 0.5;

/**
 * Follows faces from the frame before by their landmarks, which is cheaper and steadier than to find them again. The
 * whole image is searched when the plan says so, when a face is lost, and when the image has another size; detections
 * that are no followed face become new ones.
 */
export async function followFaces(
  finder: FaceFinder,
  image: RgbImage,
  plan: FollowPlan,
  maxFaces: number,
): Promise<FoundFaces> {
  const { imageSize: size } = plan;
  const sameSize = size !== undefined && size.width === image.width && size.height === image.height;
  const faces: FoundFace[] = [];
  let lost = false;
  for (const [follows, before] of (sameSize ? plan.faces : []).entries()) {
    const face = await followFace(finder, image, before);
    // Of two that have come to the same face, the one followed longer stays.
    if (face === undefined || faces.some((other) => overlap(other.box, face.box) >= SAME_FACE_OVERLAP)) lost = true;
    else faces.push({ ...face, follows });
  }
  const searched = plan.search || lost || !sameSize;
  if (searched) {
    const detections = await finder.detect(image);
    for (const detection of detections.sort((p, q) => areaOf(q) - areaOf(p))) {
      const { left, top, width, height, score } = detection;
      const box = { left, top, width, height };
      const at = faces.findIndex((face) => overlap(face.box, box) >= SAME_FACE_OVERLAP);
      if (at >= 0) {
        if (faces[at]!.follows !== undefined) faces[at] = { ...faces[at]!, box, confidence: score };
        continue;
      }
      // A crowd costs no more than the faces that can be among the answered ones.
      if (faces.length >= maxFaces && faces.filter((face) => weightOf(face) >= areaOf(box)).length >= maxFaces) break;
      const { landmarks, presence } = await finder.landmarks(image, regionOf(detection));
      if (presence >= MIN_PRESENCE) faces.push({ box, confidence: score, landmarks });
    }
  }
  const kept = faces.sort((p, q) => weightOf(q) - weightOf(p)).slice(0, maxFaces);
  return { faces: kept.sort((p, q) => areaOf(q.box) - areaOf(p.box)), searched };
}

/** The face where it was, a little further; undefined when it is not there. Its confidence is the landmark model's. */
async function followFace(finder: FaceFinder, image: RgbImage, before: FoundFace): Promise<FoundFace | undefined> {
  // A crop that was scored as it was.
  if (before.landmarks.length === 0) return undefined;
  const { landmarks, presence } = await finder.landmarks(image, regionAround(before.landmarks));
  const mesh = meshBox(landmarks);
  const box = movedWith(before.box, meshBox(before.landmarks), mesh);
  const meets =
    mesh.left < image.width && mesh.top < image.height && mesh.left + mesh.width > 0 && mesh.top + mesh.height > 0;
  if (presence < MIN_PRESENCE || !meets) return undefined;
  return { box, confidence: presence, landmarks };
}

/** The region for the landmark model: around the box, turned so that the eyes are level. */
function regionOf({ left, top, width, height, keyPoints }: FaceDetection): Region {
  const [rightEyeX = 0, rightEyeY = 0, leftEyeX = 0, leftEyeY = 0] = keyPoints;
  return {
    centerX: left + width / 2,
    centerY: top + height / 2,
    size: Math.max(width, height) * REGION_GROWTH,
    angle: Math.atan2(leftEyeY - rightEyeY, leftEyeX - rightEyeX),
  };
}

/** The same around the last frame's landmarks. */
function regionAround(landmarks: Float32Array): Region {
  const { left, top, width, height } = meshBox(landmarks);
  const at = (landmark: number) => [landmarks[3 * landmark]!, landmarks[3 * landmark + 1]!] as const;
  const [rightEye, leftEye] = [at(RIGHT_EYE_CORNER), at(LEFT_EYE_CORNER)];
  return {
    centerX: left + width / 2,
    centerY: top + height / 2,
    size: Math.max(width, height) * REGION_GROWTH,
    angle: Math.atan2(leftEye[1] - rightEye[1], leftEye[0] - rightEye[0]),
  };
}

/** The face finder's box in the next frame: it keeps its place relative to the mesh, whose own box is another. */
function movedWith(box: Box, from: Box, to: Box): Box {
  const x = to.width / from.width;
  const y = to.height / from.height;
  return {
    left: to.left + (box.left - from.left) * x,
    top: to.top + (box.top - from.top) * y,
    width: box.width * x,
    height: box.height * y,
  };
}

function weightOf({ box, follows }: FoundFace): number {
  return areaOf(box) * (follows === undefined ? 1 : FOLLOWED_ADVANTAGE);
}

function areaOf({ width, height }: Pick<Box, "width" | "height">): number {
  return width * height;
}
