import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Client, ConnectError } from "@connectrpc/connect";
import { type DetectorService, FramePolicy, type StreamConfigurationSchema } from "@duchenne/proto";
import { AWAY } from "./away.ts";
import { createCredit } from "./credit.ts";
import { frameMessage, isCalibration, type StreamAnswer, type StreamInput } from "./frame-input.ts";
import { newest, numbered } from "./newest.ts";

/** After a cut connection the answers are asked for again after so long, in milliseconds; then the server counts as away. */
const WATCH_AGAIN_MS = [100, 400, 1_000];

/**
 * What `streamFrames` does, through a session: for callers that cannot stream requests, such as browsers. Frames are
 * pushed one at a time, each when the one before was taken. When the connection of the answers is cut, they are asked for
 * again from where they stopped. Who leaves early, or aborts, closes the session.
 *
 *     const transport = createConnectTransport({ baseUrl: "https://duchenne.example" });  // of @connectrpc/connect-web
 *     const detector = createClient(DetectorService, transport);
 *     for await (const answer of streamSession({ detector }, camera, { policy: FramePolicy.LATEST_WINS })) {
 *       if (answer.case === "result") console.log(answer.value.faces[0]?.scores);
 *     }
 */
export async function* streamSession(
  { detector }: { readonly detector: Client<typeof DetectorService> },
  frames: StreamInput,
  configuration: MessageInitShape<typeof StreamConfigurationSchema> = {},
  { signal }: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<StreamAnswer, void, undefined> {
  const leaving = new AbortController();
  const ended = signal === undefined ? leaving.signal : AbortSignal.any([signal, leaving.signal]);
  const { session, configured } = await detector.openSession({ configuration }, { signal: ended });
  const latestWins = configuration.policy === FramePolicy.LATEST_WINS;
  const credit = createCredit();
  let answered = Promise.withResolvers<void>();
  let isGoingAway = false;
  let isOver = false;
  let failure: { readonly error: unknown } | undefined;

  async function push(): Promise<void> {
    const source = latestWins ? newest(frames, isCalibration) : numbered(frames);
    try {
      while (await credit.take()) {
        const next = await credit.unlessClosed(source.next());
        if (next === undefined) break;
        const { number, item } = next;
        if (isCalibration(item)) {
          await detector.calibrateSession({ session, calibration: item.calibration }, { signal: ended });
          credit.give(1);
        } else if (!(await pushFrame(frameMessage(item, number)))) {
          credit.give(1);
        }
      }
    } finally {
      source.close();
    }
    if (!ended.aborted && !isGoingAway) await detector.closeSession({ session }, { signal: ended });
  }

  /** Whether it was taken; with EVERY_FRAME it is pushed until it is. */
  async function pushFrame(frame: ReturnType<typeof frameMessage>): Promise<boolean> {
    for (;;) {
      const { promise: next } = answered;
      const { accepted } = await detector.pushFrame({ session, frame }, { signal: ended });
      if (accepted || latestWins) return accepted;
      await next;
    }
  }

  async function* watch(): AsyncGenerator<StreamAnswer, void, undefined> {
    let after = 0n;
    for (let cuts = 0; ; cuts++) {
      try {
        for await (const { number, answer } of detector.watchSession({ session, after }, { signal: ended })) {
          after = number;
          cuts = 0;
          if (answer?.message.case !== undefined) yield answer.message;
        }
        return;
      } catch (error) {
        const waitMs = WATCH_AGAIN_MS[cuts];
        if (ended.aborted || waitMs === undefined || !AWAY.includes(ConnectError.from(error).code)) throw error;
        await passed(waitMs, ended);
      }
    }
  }

  try {
    yield { case: "configured", value: configured! };
    credit.give(configured!.credit);
    // A server that goes away takes no calls any more; what it still answers comes all the same.
    void push().catch((error: unknown) => {
      if (isGoingAway || isOver) return;
      failure = { error };
      leaving.abort();
    });
    for await (const answer of watch()) {
      if (answer.case === "goingAway") {
        isGoingAway = true;
        credit.close();
      } else if (answer.case === "summary") {
        isOver = true;
      } else if ("credit" in answer.value) {
        credit.give(answer.value.credit);
      }
      answered.resolve();
      answered = Promise.withResolvers();
      yield answer;
    }
  } catch (error) {
    throw failure === undefined ? error : failure.error;
  } finally {
    credit.close();
    leaving.abort();
    answered.resolve();
    // Nobody waits for it: a session that is not closed ends by itself a while later.
    if (!isOver && !isGoingAway) void detector.closeSession({ session }).catch(() => {});
  }
}

/** Resolves after a while, or at once when the signal aborts. */
function passed(timeMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, timeMs);
    signal.addEventListener("abort", done, { once: true });
  });
}
