import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { actionUnitMessages, InvalidFieldError, scoreKindMessage, thresholdOriginMessage } from "@duchenne/control";
import {
  type AuScoreSchema,
  type BoundingBox,
  type DetectFacesRequest,
  type DetectFacesResponseSchema,
  type FaceSchema,
  type Frame,
  type FrameResultSchema,
  type OutputOptions,
  type ResolvedModelSchema,
  Side,
  type StageTimesSchema,
} from "@duchenne/proto";
import type { Detection, DetectionRequest, ModelDescription, StageTimes } from "@duchenne/vision";
import type { ServedModel } from "./served-model.ts";

/** Thrown when the fields of a request contradict each other. */
export class ContradictingFieldsError extends InvalidFieldError {
  readonly reason = "CONTRADICTING_FIELDS";
}

/** What both kinds of request say of an image. */
type ImageFields = Pick<DetectFacesRequest | Frame, "image" | "imageIsCrop" | "faceBox">;

/** An image to score, as the engine takes it. @throws {ContradictingFieldsError} */
export function detectionRequestFrom(
  { image, imageIsCrop, faceBox }: ImageFields,
  outputs: OutputOptions | undefined,
  maxFaces: number,
  signal: AbortSignal,
): DetectionRequest {
  if (imageIsCrop && faceBox !== undefined) {
    throw new ContradictingFieldsError("face_box", "Expected a face box or image_is_crop, got both");
  }
  return {
    image,
    maxFaces,
    imageIsCrop,
    faceBox: faceBox && boxFrom(faceBox),
    landmarks: outputs?.landmarks,
    logits: outputs?.logits,
    embeddings: outputs?.embeddings,
    signal,
  };
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
  };
}

/** The answer to one image. */
export function detectFacesResponse(
  model: ServedModel,
  alias: string,
  detection: Detection,
): MessageInitShape<typeof DetectFacesResponseSchema> {
  return {
    faces: faceMessages(detection, model.au.describe()),
    model: resolvedModelMessage(model, alias),
    times: stageTimesMessage(detection.times),
    imageSize: detection.imageSize,
  };
}

/** The answer to one frame. */
export function frameResult(
  { sequence, captureTime }: Frame,
  model: ServedModel,
  detection: Detection,
): MessageInitShape<typeof FrameResultSchema> {
  return {
    sequence,
    ...(captureTime && { captureTime }),
    faces: faceMessages(detection, model.au.describe()),
    times: stageTimesMessage(detection.times),
    model: model.name,
    imageSize: detection.imageSize,
  };
}

const SIDES = { left: Side.LEFT, right: Side.RIGHT } as const;

function faceMessages({ faces }: Detection, description: ModelDescription): MessageInitShape<typeof FaceSchema>[] {
  const origins = new Map(
    description.actionUnits.map(({ actionUnit, thresholdOrigin }) => [actionUnit, thresholdOrigin]),
  );
  const scoreKind = scoreKindMessage(description.scoreKind);
  return faces.map(({ box, confidence, scores, landmarks, embedding }) => ({
    box,
    confidence,
    scores: scores.map(
      ({ actionUnit, side, score, threshold, logit }): MessageInitShape<typeof AuScoreSchema> => ({
        actionUnit,
        side: side === undefined ? Side.UNSPECIFIED : SIDES[side],
        score,
        scoreKind,
        threshold,
        thresholdOrigin: thresholdOriginMessage(origins.get(actionUnit)!),
        present: score >= threshold,
        ...(logit === undefined ? {} : { logit }),
      }),
    ),
    landmarks: landmarkMessages(landmarks),
    embedding: embedding === undefined ? [] : [...embedding],
  }));
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

/** durationFromMs keeps whole milliseconds only; stages are shorter than that. */
function exactDuration(ms: number) {
  const whole = Math.floor(ms);
  const duration = durationFromMs(whole);
  duration.nanos += Math.min(Math.round((ms - whole) * 1e6), 999_999);
  return duration;
}
