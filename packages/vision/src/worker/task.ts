import type { RgbImage } from "@duchenne/data";
import type { DetectionRequest, VitSource } from "../au-model.ts";
import type { FollowPlan, FoundFace } from "../chain/face-chain.ts";
import type { ImageLimits } from "../decode.ts";
import type { FaceModelFiles } from "../provision/index.ts";
import type { FaceQuality } from "../signals/face-quality.ts";

/** What a worker that finds faces is started with. */
export interface FaceWorkerSettings {
  readonly imageLimits: ImageLimits;
  /** Undefined: no face can be found, but crops can be cut. */
  readonly faceModels: FaceModelFiles | undefined;
}

/** What is made of each face for the model that scores it. */
export type Preparation =
  /** The 52 blendshapes. */
  | { readonly kind: "blendshapes" }
  /** The normalised crop, [3, S, S]. */
  | ({ readonly kind: "crop" } & Pick<VitSource, "imageSize" | "boxConvention">);

/** What a worker that finds faces is asked to do. */
export type FaceTask =
  /** Loads the face models. */
  | { readonly kind: "open" }
  | {
      readonly kind: "find";
      readonly request: Pick<DetectionRequest, "image" | "maxFaces" | "imageIsCrop" | "faceBox" | "faces" | "quality">;
      /** Faces to follow; undefined: the image stands alone. */
      readonly plan: FollowPlan | undefined;
      readonly preparation: Preparation;
    }
  | { readonly kind: "close" };

/** A face, ready to be scored. */
export interface PreparedFace extends FoundFace {
  readonly input: Float32Array;
  readonly quality?: FaceQuality;
}

/** What was found in one image. */
export interface FindResult {
  readonly faces: readonly PreparedFace[];
  readonly searched: boolean;
  readonly imageSize: Pick<RgbImage, "width" | "height">;
  readonly decodeMs: number;
  readonly facesMs: number;
  readonly prepareMs: number;
}

/** What a worker that scores is started with. */
export interface ScoreWorkerSettings {
  /** Threads of a session. */
  readonly threads: number;
}

/** An ONNX file, and what it is run on before anyone waits for it. */
export interface ScoreModel {
  readonly path: string;
  /** Undefined: it is not warmed. */
  readonly warmUp?: { readonly imageSize: number; readonly logits: number } | undefined;
}

/** What a worker that scores is asked to do. */
export type ScoreTask =
  | { readonly kind: "load"; readonly model: number; readonly source: ScoreModel }
  | { readonly kind: "unload"; readonly model: number }
  /** Scores images, each [3, S, S] or [B, 3, S, S] with `count` in all, as one batch. */
  | {
      readonly kind: "score";
      readonly model: number;
      readonly images: readonly Float32Array[];
      readonly count: number;
    }
  | { readonly kind: "close" };

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
