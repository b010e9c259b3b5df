import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type {
  FrameDropped,
  FrameResult,
  StreamConfigurationSchema,
  StreamConfigured,
  StreamDetectRequestSchema,
  StreamSummary,
} from "@duchenne/proto";
import type { DuchenneClient } from "./duchenne-client.ts";

/** A frame to be scored. */
export interface FrameInput {
  /** JPEG, PNG or WebP bytes. */
  readonly image: Uint8Array;
  /** When it was captured; default: now. */
  readonly captureTimeMs?: number;
  /** The image already is the model's crop. */
  readonly imageIsCrop?: boolean;
  /** A known face, in pixels. */
  readonly faceBox?: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
}

/** What a stream answers, in the order of its frames. */
export type StreamAnswer =
  | { readonly case: "configured"; readonly value: StreamConfigured }
  | { readonly case: "result"; readonly value: FrameResult }
  | { readonly case: "dropped"; readonly value: FrameDropped }
  | { readonly case: "summary"; readonly value: StreamSummary };

/**
 * Streams frames and yields the answers: first what the stream resolved to, then one answer a frame, numbered from 1 in
 * the order of the frames, last the summary. Frames are taken as fast as the server takes them.
 *
 *     for await (const answer of streamFrames(client, camera, { maxFaces: 1 })) {
 *       if (answer.case === "result") console.log(answer.value.faces[0]?.scores);
 *     }
 */
export async function* streamFrames(
  { detector }: DuchenneClient,
  frames: AsyncIterable<FrameInput> | Iterable<FrameInput>,
  configuration: MessageInitShape<typeof StreamConfigurationSchema> = {},
  { signal }: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<StreamAnswer, void, undefined> {
  async function* requests(): AsyncGenerator<MessageInitShape<typeof StreamDetectRequestSchema>> {
    yield { message: { case: "configuration", value: configuration } };
    let sequence = 0n;
    for await (const { captureTimeMs = Date.now(), ...frame } of frames) {
      sequence++;
      yield { message: { case: "frame", value: { ...frame, sequence, captureTime: timestampFromMs(captureTimeMs) } } };
    }
  }
  for await (const { message } of detector.streamDetect(requests(), signal === undefined ? {} : { signal })) {
    if (message.case !== undefined) yield message;
  }
}
