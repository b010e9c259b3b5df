import type { DetectedFace, DetectionRequest, ModelSource, StageTimes } from "../au-model.ts";
import type { ImageLimits } from "../decode.ts";
import type { FaceModelFiles } from "../provision/index.ts";

/** What a worker is started with. */
export interface WorkerSettings {
  readonly imageLimits: ImageLimits;
  /** Undefined: no face can be found, but crops can be scored. */
  readonly faceModels: FaceModelFiles | undefined;
  /** Threads of a session that scores tensors. */
  readonly sessionThreads: number;
}

/** What a worker is asked to do. */
export type Task =
  | { readonly kind: "load"; readonly model: number; readonly source: ModelSource }
  | { readonly kind: "unload"; readonly model: number }
  | { readonly kind: "detect"; readonly model: number; readonly request: Omit<DetectionRequest, "signal"> }
  | { readonly kind: "score"; readonly model: number; readonly images: Float32Array; readonly count: number }
  | { readonly kind: "close" };

/** What a worker found in one image. */
export interface DetectResult {
  readonly faces: readonly DetectedFace[];
  readonly imageSize: { readonly width: number; readonly height: number };
  readonly times: Pick<StageTimes, "decodeMs" | "facesMs" | "inferenceMs">;
}

/** Logits [B, A] and pooled features [B, D] of a batch. */
export interface ScoreResult {
  readonly logits: Float32Array;
  readonly features: Float32Array;
}

/** An error on its way between threads, where classes do not survive. */
export interface TaskError {
  readonly message: string;
  readonly stack?: string | undefined;
  readonly reason?: string | undefined;
}

/** A worker's answer to the task of the same number. */
export type Reply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: TaskError };
