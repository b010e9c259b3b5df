/** The live path without RPC: decoding, faces, landmarks and action units, in worker threads. */

export { type AnnotatedFace, type AnnotationOptions, annotateImage } from "./annotate-image.ts";
export type {
  ActionUnitDescription,
  ActionUnitScore,
  AuModel,
  BlendshapeSource,
  DetectedFace,
  Detection,
  DetectionRequest,
  ModelDescription,
  ModelSource,
  StageTimes,
  VitSource,
} from "./au-model.ts";
export type { Side } from "./blendshape-au.ts";
export {
  DEFAULT_IMAGE_LIMITS,
  decodeImage,
  type ImageLimits,
  ImageTooLargeError,
  InvalidImageError,
} from "./decode.ts";
export { InvalidFaceBoxError } from "./face-box.ts";
export { createOnnxRunner, type OnnxRunner } from "./onnx-runner.ts";
export {
  createVisionEngine,
  describeBuiltInModel,
  ModelLoadError,
  type VisionEngine,
  type VisionEngineOptions,
} from "./vision-engine.ts";
export type { ScoreResult } from "./worker/task.ts";
export { EngineClosedError } from "./worker/worker-pool.ts";
