import type { Box } from "@duchenne/data";
import type { Side } from "./blendshape-au.ts";
import type { FoundFace } from "./chain/face-chain.ts";
import type { RawImage } from "./raw-image.ts";
import type { FaceQuality } from "./signals/face-quality.ts";
import type { HeadPose } from "./signals/head-pose.ts";
import type { FaceTracker } from "./tracking/face-tracker.ts";
import type { FindResult } from "./worker/task.ts";

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
  /** What it computes in: "int8" in the linear layers of its blocks. */
  readonly precision: "float32" | "int8";
  readonly description: string;
  /** An estimated probability, or an activation that grows with the movement. Never an intensity. */
  readonly scoreKind: "probability" | "activation";
  readonly actionUnits: readonly ActionUnitDescription[];
  /** What a caller should know before trusting a score. */
  readonly warnings: readonly string[];
}

/** How long the stages of one image took, in milliseconds. */
export interface StageTimes {
  /** Waiting for a worker, and for a batch. */
  readonly queueMs: number;
  readonly decodeMs: number;
  /** Finding faces and their landmarks. */
  readonly facesMs: number;
  /** Cropping and scoring. */
  readonly inferenceMs: number;
  /** From the image's arrival to its answer. */
  readonly totalMs: number;
}

/** An image to score. */
export interface DetectionRequest {
  /** JPEG, PNG or WebP bytes, or pixels. */
  readonly image: Uint8Array | RawImage;
  /** At most this many faces, the largest first. */
  readonly maxFaces: number;
  /** The image already is the model's crop: no face is looked for. */
  readonly imageIsCrop?: boolean | undefined;
  /** A known face, in pixels of the image: no other is looked for. */
  readonly faceBox?: Box | undefined;
  /** Its faces, found before: no face is looked for, and these are prepared for the model. */
  readonly faces?: readonly FoundFace[] | undefined;
  /** Answer the 478 landmarks. */
  readonly landmarks?: boolean | undefined;
  /** Answer logits, where the model has them. */
  readonly logits?: boolean | undefined;
  /** Answer the pooled features, where the model has them. */
  readonly embeddings?: boolean | undefined;
  /** Answer how the head is turned, where landmarks are found. */
  readonly headPose?: boolean | undefined;
  /** Answer how well each face can be seen. */
  readonly quality?: boolean | undefined;
}

/** When an image is to be worked on. */
export interface Scheduling {
  /** Whose image it is: streams of one priority take turns. Default: nobody else's. */
  readonly stream?: unknown;
  /** From 1, the highest; 0: the engine's default. */
  readonly priority?: number | undefined;
  /**
   * How long it may wait in all, in milliseconds, where that is shorter than the engine's own: from its arrival until a
   * worker has it, and again for a batch. Work is not waiting.
   */
  readonly timeoutMs?: number | undefined;
  /** Takes the place of an image of its stream that still waits to be begun; that one is rejected as superseded. */
  readonly latest?: boolean | undefined;
  /** Gives the image up. */
  readonly signal?: AbortSignal | undefined;
  /** Told when the work begins: of `find`, that a worker has the image; of `score`, that its first face is scored. */
  readonly onStart?: (() => void) | undefined;
  /** When it arrived, by performance.now(). Default: now. */
  readonly receivedMs?: number | undefined;
  /**
   * Follows the faces of the stream. Of one that does so in between searches, one image is in work at a time; crops and
   * images with a known face are not held up by it, and their faces are for the caller to tell the tracker, in turn.
   */
  readonly tracker?: FaceTracker | undefined;
  /** The image's own time for the tracker, in milliseconds. Default: `receivedMs`. */
  readonly frameTimeMs?: number | undefined;
}

/** An image whose faces were found, on its way to be scored. */
export interface FoundImage extends FindResult {
  readonly request: DetectionRequest;
  readonly receivedMs: number;
  /** Waiting so far. */
  readonly queueMs: number;
  /** The tracker's ids in the order of the faces, when it was the tracker that had to be told in turn. */
  readonly faceIds?: readonly bigint[];
}

/** The score of one action unit, of the whole face or of one side. */
export interface ActionUnitScore {
  readonly actionUnit: number;
  readonly side?: Side;
  readonly score: number;
  readonly threshold: number;
  readonly logit?: number;
  /** The model's own score, where calibration or smoothing made another of it. */
  readonly rawScore?: number;
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
  readonly headPose?: HeadPose;
  readonly quality?: FaceQuality;
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
   * Decodes an image, finds its faces and prepares them, in a worker thread.
   *
   * @throws {InvalidImageError} when the bytes are not a usable image
   * @throws {ImageTooLargeError} when the image is larger than the engine's limits
   * @throws {InvalidFaceBoxError} when the given box does not meet the image
   * @throws {QueueFullError} when too many images wait
   * @throws {QueueTimeoutError} when it waited too long
   * @throws {SupersededError} when a newer image of its stream took its place
   */
  find(request: DetectionRequest, scheduling?: Scheduling): Promise<FoundImage>;
  /** Scores what was found, in a batch with what other images have. Throws what `find` throws of queues. */
  score(found: FoundImage, scheduling?: Scheduling): Promise<Detection>;
  /** Both, one after the other. */
  run(request: DetectionRequest, scheduling?: Scheduling): Promise<Detection>;
  /** Frees the model. Call it when nobody runs it: what is not scored yet fails. */
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
  /** What the file computes in. Default: "float32". */
  readonly precision?: ModelDescription["precision"] | undefined;
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
