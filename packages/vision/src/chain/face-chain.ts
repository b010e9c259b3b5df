import type { Box, RgbImage } from "@duchenne/data";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { FaceModelFiles } from "../provision/index.ts";
import { BLAZE_FACE_SIZE, type FaceDetection, facesFromBlazeFace } from "./blaze-face.ts";
import { BLENDSHAPE_LANDMARKS } from "./blendshape-landmarks.ts";
import { mapOntoRegion, type Region, warpImage } from "./warp.ts";

/** Landmarks of a face, x, y, z in turn; x and y in pixels of the image, z in the scale of x. */
export const LANDMARK_COUNT = 478;
/** Side of the landmark model's input, in pixels. */
const LANDMARK_SIZE = 256;
/** The landmark model's input is the detector's box grown by this factor (as MediaPipe does). */
const REGION_GROWTH = 1.5;
/** MediaPipe's default for the presence from which a crop counts as a face. */
const MIN_PRESENCE = 0.5;

/** A face with its landmarks. */
export interface FoundFace {
  /** The face finder's box, or the given one. */
  readonly box: Box;
  /** Confidence that this is a face, 0..1. */
  readonly confidence: number;
  /** [478 * 3]: x, y, z of each landmark. */
  readonly landmarks: Float32Array;
}

/** Where to look for faces. */
export type FaceSearch =
  | { readonly kind: "whole-image"; readonly maxFaces: number }
  | { readonly kind: "given-box"; readonly box: Box };

/** BlazeFace, face landmarks and blendshapes in one thread. Sessions run synchronously: keep it off the main thread. */
export interface FaceChain {
  find(image: RgbImage, search: FaceSearch): Promise<FoundFace[]>;
  /** The 52 blendshapes of a face. */
  blendshapes(landmarks: Float32Array): Promise<Float32Array>;
}

/** Options for the small models: one thread is faster than two, and workers share the machine. */
const SESSION_OPTIONS: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: "sequential",
  logSeverityLevel: 3,
};

/** Loads the three face models. */
export async function createFaceChain(files: FaceModelFiles): Promise<FaceChain> {
  const [detector, mesh, shapes] = await Promise.all(
    [files.blazeFace, files.landmarks, files.blendshapes].map((path) => InferenceSession.create(path, SESSION_OPTIONS)),
  );
  return {
    async find(image, search) {
      if (search.kind === "given-box") {
        const { left, top, width, height } = search.box;
        const size = Math.max(width, height);
        const region = { centerX: left + width / 2, centerY: top + height / 2, size: size * REGION_GROWTH, angle: 0 };
        const { landmarks } = await landmarksIn(mesh!, image, region);
        return [{ box: search.box, confidence: 1, landmarks }];
      }
      const detections = await detectFaces(detector!, image);
      detections.sort((p, q) => q.width * q.height - p.width * p.height);
      const faces: FoundFace[] = [];
      for (const detection of detections.slice(0, search.maxFaces)) {
        const { landmarks, presence } = await landmarksIn(mesh!, image, regionOf(detection));
        if (presence < MIN_PRESENCE) continue;
        const { left, top, width, height } = detection;
        faces.push({ box: { left, top, width, height }, confidence: detection.score, landmarks });
      }
      return faces;
    },
    async blendshapes(landmarks) {
      const points = new Float32Array(2 * BLENDSHAPE_LANDMARKS.length);
      for (const [i, landmark] of BLENDSHAPE_LANDMARKS.entries()) {
        points[2 * i] = landmarks[3 * landmark]!;
        points[2 * i + 1] = landmarks[3 * landmark + 1]!;
      }
      const outputs = await shapes!.run({ input: new Tensor("float32", points, [1, BLENDSHAPE_LANDMARKS.length, 2]) });
      return Float32Array.from(dataOf(outputs, "output"));
    },
  };
}

/** BlazeFace on the whole image, fitted into its square input. */
async function detectFaces(session: InferenceSession, image: RgbImage): Promise<FaceDetection[]> {
  const size = Math.max(image.width, image.height);
  const map = mapOntoRegion({ centerX: image.width / 2, centerY: image.height / 2, size, angle: 0 }, BLAZE_FACE_SIZE);
  const input = warpImage(image, map, BLAZE_FACE_SIZE, { factor: 1 / 127.5, offset: -1 });
  const feeds = { [session.inputNames[0]!]: new Tensor("float32", input, [1, BLAZE_FACE_SIZE, BLAZE_FACE_SIZE, 3]) };
  const outputs = await session.run(feeds);
  // Scores of both grids, then boxes of both grids.
  const [scores16, scores8, boxes16, boxes8] = session.outputNames.map((name) => dataOf(outputs, name));
  return facesFromBlazeFace(joined(scores16!, scores8!), joined(boxes16!, boxes8!), map);
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

async function landmarksIn(
  session: InferenceSession,
  image: RgbImage,
  region: Region,
): Promise<{ landmarks: Float32Array; presence: number }> {
  const map = mapOntoRegion(region, LANDMARK_SIZE);
  const input = warpImage(image, map, LANDMARK_SIZE, { factor: 1 / 255, offset: 0 });
  const outputs = await session.run({ input: new Tensor("float32", input, [1, LANDMARK_SIZE, LANDMARK_SIZE, 3]) });
  const points = dataOf(outputs, "output");
  const landmarks = new Float32Array(3 * LANDMARK_COUNT);
  const scale = Math.hypot(map.a, map.d);
  for (let i = 0; i < landmarks.length; i += 3) {
    const u = points[i]!;
    const v = points[i + 1]!;
    landmarks[i] = map.a * u + map.b * v + map.c;
    landmarks[i + 1] = map.d * u + map.e * v + map.f;
    landmarks[i + 2] = points[i + 2]! * scale;
  }
  return { landmarks, presence: 1 / (1 + Math.exp(-dataOf(outputs, "output_1")[0]!)) };
}

function dataOf(outputs: InferenceSession.ReturnType, name: string): Float32Array {
  const data = outputs[name]?.data;
  if (!(data instanceof Float32Array)) throw new Error(`Expected a float output "${name}"`);
  return data;
}

function joined(p: Float32Array, q: Float32Array): Float32Array {
  const both = new Float32Array(p.length + q.length);
  both.set(p);
  both.set(q, p.length);
  return both;
}
