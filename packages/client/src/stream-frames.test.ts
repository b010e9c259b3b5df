import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Client, createClient, createRouterTransport } from "@connectrpc/connect";
import { DetectorService, FramePolicy, type StreamDetectResponseSchema } from "@duchenne/proto";
import { expect, it } from "vitest";
import type { DuchenneClient } from "./duchenne-client.ts";
import type { FrameInput } from "./frame-input.ts";
import { streamFrames } from "./stream-frames.ts";

/** A server that gives credit for two frames, answers the first and goes away. */
function goingAwayServer(received: bigint[]): DuchenneClient {
  const transport = createRouterTransport(({ service }) => {
    service(DetectorService, {
      async *streamDetect(requests): AsyncGenerator<MessageInitShape<typeof StreamDetectResponseSchema>> {
        yield { message: { case: "configured", value: { credit: 2 } } };
        for await (const { message } of requests) {
          if (message.case !== "frame") continue;
          received.push(message.value.sequence);
          yield { message: { case: "result", value: { sequence: message.value.sequence, credit: 1 } } };
          if (received.length === 1) yield { message: { case: "goingAway", value: {} } };
        }
        yield { message: { case: "summary", value: {} } };
      },
    });
  });
  const detector: Client<typeof DetectorService> = createClient(DetectorService, transport);
  return { detector } as DuchenneClient;
}

it.each([FramePolicy.EVERY_FRAME, FramePolicy.LATEST_WINS])(
  "half-closes when the server goes away while the camera gives nothing, and closes the camera (policy %i)",
  async (policy) => {
    let closed = false;
    let given = 0;
    const camera: AsyncIterable<FrameInput> = {
      [Symbol.asyncIterator]: () => ({
        next: () =>
          given++ === 0
            ? Promise.resolve({ done: false, value: { image: new Uint8Array(1) } })
            : new Promise<IteratorResult<FrameInput>>(() => {}),
        async return() {
          closed = true;
          return { done: true, value: undefined };
        },
      }),
    };
    const received: bigint[] = [];
    const answers: string[] = [];
    for await (const answer of streamFrames(goingAwayServer(received), camera, { policy })) answers.push(answer.case);
    expect(answers).toEqual(["configured", "result", "goingAway", "summary"]);
    expect(received).toEqual([1n]);
    expect(closed).toBe(true);
  },
);
