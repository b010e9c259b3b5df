import type { Box, RgbImage } from "@duchenne/data";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { FaceModelFiles } from "../provision/index.ts";
import { BLAZE_FACE_SIZE, type FaceDetection, facesFromBlazeFace } from "./blaze-face.ts";
import { BLENDSHAPE_LANDMARKS } from "./blendshape-landmarks.ts";
import { followFaces, REGION_GROWTH } from "./follow-faces.ts";
import { mapOntoRegion, type Region, warpImage } from "./warp.ts";

/** Landmarks of a face, x, y, z in turn; x and y in pixels of the image, z in the scale of x. */
export const LANDMARK_COUNT = 478;
/** Side of the landmark model's input, in pixels. */
const LANDMARK_SIZE = 256;

/** A face with its landmarks. */
export interface FoundFace {
  /** The face finder's box, or the given one. */
  readonly box: Box;
  /** Confidence that this is a face, 0..1. */
  readonly confidence: number;
  /** [478 * 3]: x, y, z of each landmark. */
  readonly landmarks: Float32Array;
  /** The place in the plan of the face that this one is, when it was followed. */
  readonly follows?: number;
}

/** The faces of the frame before, to be followed into this one. */
export interface FollowPlan {
  readonly faces: readonly FoundFace[];
  /** Search the whole image too. */
  readonly search: boolean;
  /** The size of the frame before; faces are not followed into a frame of another. */
  readonly imageSize?: { readonly width: number; readonly height: number };
}

/** Where to look for faces. */
export type FaceSearch =
  | { readonly kind: "whole-image"; readonly maxFaces: number }
  | { readonly kind: "follow"; readonly maxFaces: number; readonly plan: FollowPlan }
  | { readonly kind: "given-box"; readonly box: Box };

/** What a search found. */
export interface FoundFaces {
  /** The largest first. */
  readonly faces: FoundFace[];
  /** Whether the whole image was searched. */
  readonly searched: boolean;
}

/** The faces of an image, and how sure the landmark model is of a place: what following needs of the chain. */
export interface FaceFinder {
  /** Searches the whole image, the surest first. */
  detect(image: RgbImage): Promise<FaceDetection[]>;
  /** The landmarks in a region, and whether it holds a face, 0..1. */
  landmarks(image: RgbImage, region: Region): Promise<{ landmarks: Float32Array; presence: number }>;
}

/** BlazeFace, face landmarks and blendshapes in one thread. Sessions run synchronously: keep it off the main thread. */
export interface FaceChain {
  find(image: RgbImage, search: FaceSearch): Promise<FoundFaces>;
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
  const opened = await Promise.allSettled(
    [files.blazeFace, files.landmarks, files.blendshapes].map((path) => InferenceSession.create(path, SESSION_OPTIONS)),
  );
  const sessions = opened.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  const failed = opened.find((outcome) => outcome.status === "rejected");
  if (failed !== undefined) {
    await Promise.all(sessions.map((session) => session.release()));
    throw failed.reason;
  }
  const [detector, mesh, shapes] = sessions;
  const finder: FaceFinder = {
    detect: (image) => detectFaces(detector!, image),
    landmarks: (image, region) => landmarksIn(mesh!, image, region),
  };
  return {
    async find(image, search) {
      if (search.kind === "given-box") {
        const { left, top, width, height } = search.box;
        const size = Math.max(width, height);
        const region = { centerX: left + width / 2, centerY: top + height / 2, size: size * REGION_GROWTH, angle: 0 };
        const { landmarks } = await finder.landmarks(image, region);
        return { faces: [{ box: search.box, confidence: 1, landmarks }], searched: false };
      }
      const plan = search.kind === "follow" ? search.plan : { faces: [], search: true };
      return followFaces(finder, image, plan, search.maxFaces);
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
