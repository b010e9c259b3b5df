import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type CalibrationSchema,
  type FrameDropped,
  FramePolicy,
  type FrameResult,
  type GoingAway,
  type NeutralCalibrated,
  type RawImageSchema,
  type StreamConfigurationSchema,
  type StreamConfigured,
  type StreamDetectRequestSchema,
  type StreamSummary,
} from "@duchenne/proto";
import { createCredit } from "./credit.ts";
import type { DuchenneClient } from "./duchenne-client.ts";
import { newest, numbered } from "./newest.ts";

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

/** What a stream answers; results come in the order of their frames. */
export type StreamAnswer =
  | { readonly case: "configured"; readonly value: StreamConfigured }
  | { readonly case: "result"; readonly value: FrameResult }
  | { readonly case: "dropped"; readonly value: FrameDropped }
  | { readonly case: "calibrated"; readonly value: NeutralCalibrated }
  | { readonly case: "goingAway"; readonly value: GoingAway }
  | { readonly case: "summary"; readonly value: StreamSummary };

type Request = MessageInitShape<typeof StreamDetectRequestSchema>;

/**
 * Streams frames and yields the answers: first what the stream resolved to, then one answer a frame, last the summary.
 * Frames are numbered from 1 in the order in which they come. They are sent as the server gives credit: each of them,
 * or, with the policy LATEST_WINS, always the newest, so that numbers are left out. When the server says that it is going
 * away, no more frames are taken; open another stream for the rest.
 *
 *     for await (const answer of streamFrames(client, camera, { maxFaces: 1, policy: FramePolicy.LATEST_WINS })) {
 *       if (answer.case === "result") console.log(answer.value.faces[0]?.scores);
 *     }
 */
export async function* streamFrames(
  { detector }: DuchenneClient,
  frames: AsyncIterable<FrameInput | CalibrationInput> | Iterable<FrameInput | CalibrationInput>,
  configuration: MessageInitShape<typeof StreamConfigurationSchema> = {},
  { signal }: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<StreamAnswer, void, undefined> {
  const credit = createCredit();
  const latestWins = configuration.policy === FramePolicy.LATEST_WINS;

  async function* requests(): AsyncGenerator<Request> {
    yield { message: { case: "configuration", value: configuration } };
    const source = latestWins ? newest(frames, (input) => "calibration" in input) : numbered(frames);
    try {
      // Credit first: the newest frame is the one that is newest when it can be sent.
      while (await credit.take()) {
        // A camera may be slow, or give nothing more: the stream ends without it when the server goes away.
        const next = await credit.unlessClosed(source.next());
        if (next === undefined) return;
        const { number, item } = next;
        yield requestFrom(item, number);
        if ("calibration" in item) credit.give(1);
      }
    } finally {
      source.close();
    }
  }

  try {
    for await (const { message } of detector.streamDetect(requests(), signal === undefined ? {} : { signal })) {
      if (message.case === undefined) continue;
      if (message.case === "configured" || message.case === "result" || message.case === "dropped") {
        credit.give(message.value.credit);
      } else if (message.case === "goingAway") {
        credit.close();
      }
      yield message;
    }
  } finally {
    credit.close();
  }
}

function requestFrom(input: FrameInput | CalibrationInput, sequence: bigint): Request {
  if ("calibration" in input) return { message: { case: "calibration", value: input.calibration } };
  const { captureTimeMs = Date.now(), ...frame } = input;
  return { message: { case: "frame", value: { ...frame, sequence, captureTime: timestampFromMs(captureTimeMs) } } };
}
