import type { MessageInitShape } from "@bufbuild/protobuf";
import { FramePolicy, type StreamConfigurationSchema, type StreamDetectRequestSchema } from "@duchenne/proto";
import { createCredit } from "./credit.ts";
import type { DuchenneClient } from "./duchenne-client.ts";
import {
  type CalibrationInput,
  type FrameInput,
  frameMessage,
  isCalibration,
  type StreamAnswer,
  type StreamInput,
} from "./frame-input.ts";
import { newest, numbered } from "./newest.ts";

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
  { detector }: Pick<DuchenneClient, "detector">,
  frames: StreamInput,
  configuration: MessageInitShape<typeof StreamConfigurationSchema> = {},
  { signal }: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<StreamAnswer, void, undefined> {
  const credit = createCredit();
  const latestWins = configuration.policy === FramePolicy.LATEST_WINS;

  async function* requests(): AsyncGenerator<Request> {
    yield { message: { case: "configuration", value: configuration } };
    const source = latestWins ? newest(frames, isCalibration) : numbered(frames);
    try {
      // Credit first: the newest frame is the one that is newest when it can be sent.
      while (await credit.take()) {
        // A camera may be slow, or give nothing more: the stream ends without it when the server goes away.
        const next = await credit.unlessClosed(source.next());
        if (next === undefined) return;
        const { number, item } = next;
        yield requestFrom(item, number);
        if (isCalibration(item)) credit.give(1);
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
  if (isCalibration(input)) return { message: { case: "calibration", value: input.calibration } };
  return { message: { case: "frame", value: frameMessage(input, sequence) } };
}
