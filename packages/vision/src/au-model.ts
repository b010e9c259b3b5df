import type { Box } from "@duchenne/data";
import type { Side } from "./blendshape-au.ts";

/** One action unit that a model answers. */
export interface ActionUnitDescription {
  /** The FACS number. */
  readonly actionUnit: number;
  /** Present from this score on. */
  readonly threshold: number;
  /** A fixed convention, chosen on validation data, or set by hand before any scoring. */
  readonly thresholdOrigin: "convention" | "validation" | "expert";
  /** The threshold's origin in words. */
  readonly thresholdNote: string;
  /** Whether left and right are also scored apart. */
  readonly lateral: boolean;
  /** What the score is computed from. */
  readonly source: string;
}

/** What a model is, and what its scores mean. */
export interface ModelDescription {
  readonly kind: "blendshape-au" | "vit";
  readonly description: string;
  /** An estimated probability, or an activation that grows with the movement. Never an intensity. */
  readonly scoreKind: "probability" | "activation";
  readonly actionUnits: readonly ActionUnitDescription[];
  /** What a caller should know before trusting a score. */
  readonly warnings: readonly string[];
}

/** How long the stages of one image took, in milliseconds. */
export interface StageTimes {
  /** Waiting for a free worker. */
  readonly queueMs: number;
  readonly decodeMs: number;
  /** Finding faces and their landmarks. */
  readonly facesMs: number;
  /** Cropping and scoring. */
  readonly inferenceMs: number;
  /** From the call to its answer. */
  readonly totalMs: number;
}

/** An image to score. */
export interface DetectionRequest {
  /** JPEG, PNG or WebP bytes. */
  readonly image: Uint8Array;
  /** At most this many faces, the largest first. */
  readonly maxFaces: number;
  /** The image already is the model's crop: no face is looked for. */
  readonly imageIsCrop?: boolean | undefined;
  /** A known face, in pixels of the image: no other is looked for. */
  readonly faceBox?: Box | undefined;
  /** Answer the 478 landmarks. */
  readonly landmarks?: boolean | undefined;
  /** Answer logits, where the model has them. */
  readonly logits?: boolean | undefined;
  /** Answer the pooled features, where the model has them. */
  readonly embeddings?: boolean | undefined;
  /** Gives the image up. */
  readonly signal?: AbortSignal | undefined;
}

/** The score of one action unit, of the whole face or of one side. */
export interface ActionUnitScore {
  readonly actionUnit: number;
  readonly side?: Side;
  readonly score: number;
  readonly threshold: number;
  readonly logit?: number;
}

/** A scored face. */
export interface DetectedFace {
  /** In pixels of the image. */
  readonly box: Box;
  /** Confidence that this is a face, 0..1; 1 when the caller said so. */
  readonly confidence: number;
  /** Whole-face scores first, then those of a side. */
  readonly scores: readonly ActionUnitScore[];
  /** [478 * 3]: x and y in pixels, z in the scale of x. */
  readonly landmarks?: Float32Array;
  /** [D]: the pooled features. */
  readonly embedding?: Float32Array;
}

/** What was found in one image. No face is a normal answer. */
export interface Detection {
  readonly faces: readonly DetectedFace[];
  readonly imageSize: { readonly width: number; readonly height: number };
  readonly times: StageTimes;
}

/** A loaded model, whatever its kind. */
export interface AuModel {
  /** What it is, and what its scores mean. */
  describe(): ModelDescription;
  /**
   * Scores the faces of one image, in a worker thread.
   *
   * @throws {InvalidImageError} when the bytes are not a usable image
   * @throws {ImageTooLargeError} when the image is larger than the engine's limits
   * @throws {InvalidFaceBoxError} when the given box does not meet the image
   */
  run(request: DetectionRequest): Promise<Detection>;
  /** Frees the model; images in work are still answered. */
  dispose(): Promise<void>;
}

/** A model to load. */
export type ModelSource = BlendshapeSource | VitSource;

/** The built-in model: action units from MediaPipe's blendshapes. */
export interface BlendshapeSource {
  readonly kind: "blendshape-au";
}

/** A vision transformer in an ONNX file: `image` [B, 3, S, S] to `logits` [B, A] and `features` [B, D]. */
export interface VitSource {
  readonly kind: "vit";
  /** The ONNX file. */
  readonly path: string;
  /** S: the side of its input, in pixels. */
  readonly imageSize: number;
  readonly description: string;
  /** In the order of the logits. */
  readonly actionUnits: readonly Pick<
    ActionUnitDescription,
    "actionUnit" | "threshold" | "thresholdOrigin" | "thresholdNote"
  >[];
  /** How the faces it was trained on were cut out; undefined when nobody wrote it down. */
  readonly boxConvention?: string | undefined;
}
