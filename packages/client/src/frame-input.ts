import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type {
  CalibrationSchema,
  FrameDropped,
  FrameResult,
  FrameSchema,
  GoingAway,
  NeutralCalibrated,
  RawImageSchema,
  StreamConfigured,
  StreamSummary,
} from "@duchenne/proto";

/** A frame to be scored: encoded, or as pixels. */
export type FrameInput = FrameOptions &
  (
    | {
        /** JPEG, PNG or WebP bytes. */
        readonly image: Uint8Array;
      }
    | {
        /** Pixels, as a camera or a canvas gives them. */
        readonly raw: MessageInitShape<typeof RawImageSchema>;
      }
  );

/** What may be said of a frame. */
interface FrameOptions {
  /** When it was captured; default: now. */
  readonly captureTimeMs?: number;
  /** The image already is the model's crop. */
  readonly imageIsCrop?: boolean;
  /** A known face, in pixels. */
  readonly faceBox?: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
}

/** What to do about neutral expressions, from the next frame on. */
export interface CalibrationInput {
  readonly calibration: MessageInitShape<typeof CalibrationSchema>;
}

/** What a stream is fed with. */
export type StreamInput = AsyncIterable<FrameInput | CalibrationInput> | Iterable<FrameInput | CalibrationInput>;

/** What a stream answers; results come in the order of their frames. */
export type StreamAnswer =
  | { readonly case: "configured"; readonly value: StreamConfigured }
  | { readonly case: "result"; readonly value: FrameResult }
  | { readonly case: "dropped"; readonly value: FrameDropped }
  | { readonly case: "calibrated"; readonly value: NeutralCalibrated }
  | { readonly case: "goingAway"; readonly value: GoingAway }
  | { readonly case: "summary"; readonly value: StreamSummary };

/** A frame as it is sent. */
export function frameMessage(input: FrameInput, sequence: bigint): MessageInitShape<typeof FrameSchema> {
  const { captureTimeMs = Date.now(), ...frame } = input;
  return { ...frame, sequence, captureTime: timestampFromMs(captureTimeMs) };
}

/** Whether it is a calibration: of those none may be left out. */
export function isCalibration(input: FrameInput | CalibrationInput): input is CalibrationInput {
  return "calibration" in input;
}
