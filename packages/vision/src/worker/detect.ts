import { cropFace, normaliseImage, type RgbImage, resizeImage } from "@duchenne/data";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { DetectedFace, DetectionRequest, VitSource } from "../au-model.ts";
import { actionUnitsFromBlendshapes } from "../blendshape-au.ts";
import type { FaceChain, FoundFace } from "../chain/face-chain.ts";
import { decodeImage, type ImageLimits } from "../decode.ts";
import { boxConvention, InvalidFaceBoxError } from "../face-box.ts";
import type { DetectResult, ScoreResult } from "./task.ts";

/** Scores the faces of a decoded image; the two steps are timed apart. */
export interface FaceScorer {
  readonly find: (image: RgbImage, request: DetectionRequest) => Promise<FoundFace[]>;
  readonly score: (image: RgbImage, faces: FoundFace[], request: DetectionRequest) => Promise<DetectedFace[]>;
}

/** Decodes an image, finds its faces and scores them. */
export async function detect(
  scorer: FaceScorer,
  request: DetectionRequest,
  limits: ImageLimits,
): Promise<DetectResult> {
  const start = performance.now();
  const image = await decodeImage(request.image, limits);
  const decoded = performance.now();
  checkFaceBox(request, image);
  const found = await scorer.find(image, request);
  const searched = performance.now();
  const faces = await scorer.score(image, found, request);
  return {
    faces,
    imageSize: { width: image.width, height: image.height },
    times: {
      decodeMs: decoded - start,
      facesMs: searched - decoded,
      inferenceMs: performance.now() - searched,
    },
  };
}

/** The built-in model: blendshapes of the landmarks. */
export function blendshapeScorer(chain: FaceChain): FaceScorer {
  return {
    find: (image, request) => findFaces(chain, image, request),
    score: (_image, faces, request) =>
      Promise.all(
        faces.map(async (face) => ({
          box: face.box,
          confidence: face.confidence,
          scores: actionUnitsFromBlendshapes(await chain.blendshapes(face.landmarks)),
          ...(request.landmarks === true ? { landmarks: face.landmarks } : {}),
        })),
      ),
  };
}

/** A vision transformer on crops of the faces, all of one image in one batch. */
export function vitScorer(session: InferenceSession, source: VitSource, chain: () => FaceChain): FaceScorer {
  const { boxOf, margin } = boxConvention(source.boxConvention);
  const size = source.imageSize;
  return {
    find: (image, request) =>
      request.imageIsCrop === true ? Promise.resolve([wholeImage(image)]) : findFaces(chain(), image, request),
    async score(image, faces, request) {
      if (faces.length === 0) return [];
      const pixels = 3 * size * size;
      const images = new Float32Array(faces.length * pixels);
      for (const [i, face] of faces.entries()) {
        const crop =
          request.imageIsCrop === true
            ? resizeImage(image, size, size)
            : cropFace(image, boxOf(face), { size, margin });
        normaliseImage(crop, images, i * pixels);
      }
      const { logits, features } = await scoreImages(session, images, faces.length);
      const units = source.actionUnits.length;
      const dim = features.length / faces.length;
      return faces.map((face, i) => ({
        box: face.box,
        confidence: face.confidence,
        scores: source.actionUnits.map(({ actionUnit, threshold }, unit) => {
          const logit = logits[i * units + unit]!;
          const score = 1 / (1 + Math.exp(-logit));
          return { actionUnit, score, threshold, ...(request.logits === true ? { logit } : {}) };
        }),
        ...(request.landmarks === true && face.landmarks.length > 0 ? { landmarks: face.landmarks } : {}),
        ...(request.embeddings === true ? { embedding: features.slice(i * dim, (i + 1) * dim) } : {}),
      }));
    },
  };
}

/** Runs a vision transformer on `count` images [B, 3, S, S]. */
export async function scoreImages(
  session: InferenceSession,
  images: Float32Array,
  count: number,
): Promise<ScoreResult> {
  const side = Math.round(Math.sqrt(images.length / (3 * count)));
  const outputs = await session.run({ image: new Tensor("float32", images, [count, 3, side, side]) });
  const { logits, features } = outputs;
  if (logits === undefined || features === undefined) {
    throw new Error(`Expected the outputs logits and features, got ${Object.keys(outputs).join(", ")}`);
  }
  return {
    logits: Float32Array.from(logits.data as Float32Array),
    features: Float32Array.from(features.data as Float32Array),
  };
}

/** Opens an ONNX file. */
export function openSession(path: string, threads: number): Promise<InferenceSession> {
  return InferenceSession.create(path, { intraOpNumThreads: threads, interOpNumThreads: 1, logSeverityLevel: 3 });
}

function findFaces(chain: FaceChain, image: RgbImage, request: DetectionRequest): Promise<FoundFace[]> {
  const { faceBox: box, imageIsCrop, maxFaces } = request;
  if (box !== undefined) return chain.find(image, { kind: "given-box", box });
  if (imageIsCrop === true) return chain.find(image, { kind: "given-box", box: cropWithoutMargin(image) });
  return chain.find(image, { kind: "whole-image", maxFaces });
}

/** The face's box inside of a crop that has a margin of 5 % of the box on each side. */
function cropWithoutMargin({ width, height }: RgbImage) {
  const share = 0.05 / 1.1;
  return { left: share * width, top: share * height, width: width / 1.1, height: height / 1.1 };
}

function wholeImage({ width, height }: RgbImage): FoundFace {
  return { box: { left: 0, top: 0, width, height }, confidence: 1, landmarks: new Float32Array() };
}

function checkFaceBox({ faceBox: box }: DetectionRequest, { width, height }: RgbImage): void {
  if (box === undefined) return;
  const meets = box.left < width && box.top < height && box.left + box.width > 0 && box.top + box.height > 0;
  if (box.width > 0 && box.height > 0 && meets) return;
  throw new InvalidFaceBoxError(
    `Expected a box that meets the ${width}x${height} image, got ${box.width}x${box.height} at ${box.left},${box.top}`,
  );
}
