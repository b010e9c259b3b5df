/** The live path without RPC: decoding, faces, landmarks and action units, in worker threads. */

export { type AnnotatedFace, type AnnotationOptions, annotateImage } from "./annotate-image.ts";
export type {
  ActionUnitDescription,
  ActionUnitScore,
  AuModel,
  DetectedFace,
  Detection,
  DetectionRequest,
  FoundImage,
  ModelDescription,
  ModelSource,
  Scheduling,
  StageTimes,
  VitSource,
} from "./au-model.ts";
export { priorityFrom } from "./batching/priority.ts";
export { QueueFullError, QueueTimeoutError, SupersededError, UnknownPriorityError } from "./batching/queue-errors.ts";
export { type BatchingOptions, PLAIN_BATCHING } from "./batching/request-queue.ts";
export type { Side } from "./blendshape-au.ts";
export {
  DEFAULT_IMAGE_LIMITS,
  decodeImage,
  type ImageLimits,
  ImageTooLargeError,
  InvalidImageError,
} from "./decode.ts";
export type { VisionEngineOptions } from "./engine-options.ts";
export { InvalidFaceBoxError } from "./face-box.ts";
export { ModelLoadError } from "./model-load-error.ts";
export { createOnnxRunner, type OnnxRunner } from "./onnx-runner.ts";
export { type PortraitFolder, type PortraitNote, readPortraits } from "./portraits/read-portraits.ts";
export type { PixelFormat, RawImage, YuvColors } from "./raw-image.ts";
export type { FaceQuality } from "./signals/face-quality.ts";
export {
  type CalibrationRequest,
  FaceSignals,
  type NeutralBaseline,
} from "./signals/face-signals.ts";
export type { HeadPose } from "./signals/head-pose.ts";
export type { Smoothing } from "./signals/smoothing.ts";
export { FaceTracker } from "./tracking/face-tracker.ts";
export {
  createVisionEngine,
  describeBuiltInModel,
  type VisionEngine,
} from "./vision-engine.ts";
export { sessionOptions } from "./worker/session-options.ts";
export type { ScoreResult } from "./worker/task.ts";
export { EngineClosedError } from "./worker/worker-pool.ts";
