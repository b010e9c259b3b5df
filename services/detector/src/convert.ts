import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  actionUnitMessages,
  exactDuration,
  InvalidFieldError,
  precisionMessage,
  scoreKindMessage,
  thresholdOriginMessage,
} from "@duchenne/control";
import {
  type AuScoreSchema,
  type BoundingBox,
  type DetectFacesRequest,
  type DetectFacesResponseSchema,
  type FaceSchema,
  type Frame,
  type FrameResultSchema,
  type OutputOptions,
  PixelFormat,
  type RawImage as RawImageMessage,
  type ResolvedModelSchema,
  Side,
  type StageTimesSchema,
  YuvColors,
} from "@duchenne/proto";
import type {
  ActionUnitScore,
  DetectedFace,
  Detection,
  DetectionRequest,
  ModelDescription,
  RawImage,
  StageTimes,
} from "@duchenne/vision";
import type { ServedModel } from "./served-model.ts";

/** Thrown when the fields of a request contradict each other. */
export class ContradictingFieldsError extends InvalidFieldError {
  readonly reason = "CONTRADICTING_FIELDS";
}

/** Thrown when a request has no image, or no usable description of one. */
export class InvalidImageFieldError extends InvalidFieldError {
  readonly reason = "INVALID_IMAGE";
}

/** What both kinds of request say of an image. */
type ImageFields = Pick<DetectFacesRequest | Frame, "image" | "raw" | "imageIsCrop" | "faceBox">;

/**
 * An image to score, as the engine takes it.
 *
 * @throws {ContradictingFieldsError}
 * @throws {InvalidImageFieldError}
 */
export function detectionRequestFrom(
  { image, raw, imageIsCrop, faceBox }: ImageFields,
  outputs: OutputOptions | undefined,
  maxFaces: number,
): DetectionRequest {
  if (imageIsCrop && faceBox !== undefined) {
    throw new ContradictingFieldsError("face_box", "Expected a face box or image_is_crop, got both");
  }
  if (raw !== undefined && image.length > 0) {
    throw new ContradictingFieldsError("raw", "Expected an encoded image or raw pixels, got both");
  }
  if (raw === undefined && image.length === 0) {
    throw new InvalidImageFieldError("image", "Expected an encoded image or raw pixels, got neither");
  }
  return {
    image: raw === undefined ? image : rawImageFrom(raw),
    maxFaces,
    imageIsCrop,
    faceBox: faceBox && boxFrom(faceBox),
    landmarks: outputs?.landmarks,
    logits: outputs?.logits,
    embeddings: outputs?.embeddings,
    headPose: outputs?.headPose,
    quality: outputs?.quality,
  };
}

const FORMATS: Readonly<Record<number, RawImage["format"]>> = {
  [PixelFormat.RGB]: "rgb",
  [PixelFormat.RGBA]: "rgba",
  [PixelFormat.GRAY8]: "gray8",
  [PixelFormat.NV12]: "nv12",
};

const COLORS: Readonly<Record<number, RawImage["colors"]>> = {
  [YuvColors.BT601_LIMITED]: "bt601-limited",
  [YuvColors.BT601_FULL]: "bt601-full",
  [YuvColors.BT709_LIMITED]: "bt709-limited",
  [YuvColors.BT709_FULL]: "bt709-full",
};

function rawImageFrom(raw: RawImageMessage): RawImage {
  const format = FORMATS[raw.format];
  if (format === undefined) {
    throw new InvalidImageFieldError("raw.format", `Expected RGB, RGBA, GRAY8 or NV12, got format ${raw.format}`);
  }
  const { width, height, stride, data, yuvColors } = raw;
  return { format, width, height, stride, data, colors: COLORS[yuvColors] ?? "bt601-limited" };
}

function boxFrom({ left, top, width, height }: BoundingBox) {
  return { left, top, width, height };
}

/** A model as a stream resolved to it. */
export function resolvedModelMessage(
  { name, au }: ServedModel,
  alias: string,
): MessageInitShape<typeof ResolvedModelSchema> {
  const description = au.describe();
  return {
    name,
    alias,
    kind: description.kind,
    actionUnits: actionUnitMessages(description),
    description: description.description,
    precision: precisionMessage(description.precision),
  };
}

/** The answer to one image. */
export function detectFacesResponse(
  model: ServedModel,
  alias: string,
  detection: Detection,
): MessageInitShape<typeof DetectFacesResponseSchema> {
  const describe = faceMessage(model.au.describe());
  return {
    faces: detection.faces.map((face) => describe(face)),
    model: resolvedModelMessage(model, alias),
    times: stageTimesMessage(detection.times),
    imageSize: detection.imageSize,
  };
}

/** A face of a stream, with the scores that are answered. */
export interface StreamFace extends DetectedFace {
  readonly faceId: bigint;
  /** How its scores were calibrated; empty: they were not. */
  readonly calibration: string;
}

/** The answer to one frame. */
export function frameResult(
  { sequence, captureTime }: Pick<Frame, "sequence" | "captureTime">,
  model: ServedModel,
  detection: Detection,
  faces: readonly StreamFace[],
): MessageInitShape<typeof FrameResultSchema> {
  const describe = faceMessage(model.au.describe());
  return {
    sequence,
    ...(captureTime && { captureTime }),
    faces: faces.map((face) => ({ ...describe(face, face.calibration), faceId: face.faceId })),
    times: stageTimesMessage(detection.times),
    model: model.name,
    imageSize: detection.imageSize,
  };
}

const SIDES = { left: Side.LEFT, right: Side.RIGHT } as const;

/** A side as the wire has it. */
export function sideMessage(side: ActionUnitScore["side"]): Side {
  return side === undefined ? Side.UNSPECIFIED : SIDES[side];
}

function faceMessage(description: ModelDescription) {
  const origins = new Map(
    description.actionUnits.map(({ actionUnit, thresholdOrigin }) => [actionUnit, thresholdOrigin]),
  );
  const scoreKind = scoreKindMessage(description.scoreKind);
  return (face: DetectedFace, calibration = ""): MessageInitShape<typeof FaceSchema> => {
    const { box, confidence, scores, landmarks, embedding, headPose, quality } = face;
    return {
      box,
      confidence,
      scores: scores.map(
        ({ actionUnit, side, score, threshold, logit, rawScore }): MessageInitShape<typeof AuScoreSchema> => ({
          actionUnit,
          side: sideMessage(side),
          score,
          scoreKind,
          calibration,
          threshold,
          thresholdOrigin: thresholdOriginMessage(origins.get(actionUnit)!),
          present: score >= threshold,
          ...(logit === undefined ? {} : { logit }),
          ...(rawScore === undefined ? {} : { rawScore }),
        }),
      ),
      landmarks: landmarkMessages(landmarks),
      embedding: embedding === undefined ? [] : [...embedding],
      ...(headPose && {
        headPose: { yawDegrees: headPose.yaw, pitchDegrees: headPose.pitch, rollDegrees: headPose.roll },
      }),
      ...(quality && { quality }),
    };
  };
}

function landmarkMessages(landmarks: Float32Array | undefined) {
  return Array.from({ length: (landmarks?.length ?? 0) / 3 }, (_, i) => ({
    x: landmarks![3 * i]!,
    y: landmarks![3 * i + 1]!,
    z: landmarks![3 * i + 2]!,
  }));
}

function stageTimesMessage(times: StageTimes): MessageInitShape<typeof StageTimesSchema> {
  return {
    decode: exactDuration(times.decodeMs),
    queue: exactDuration(times.queueMs),
    faces: exactDuration(times.facesMs),
    inference: exactDuration(times.inferenceMs),
    total: exactDuration(times.totalMs),
  };
}
