import type { StreamConfiguration, StreamDetectRequest } from "@duchenne/proto";
import type { LiveKind } from "../frame-metrics.ts";
import type { ModelRegistry } from "../model-registry.ts";
import type { ServedModel } from "../served-model.ts";
import { LiveStream, type LiveStreamOptions } from "./live-stream.ts";
import type { StreamResponse } from "./stream-answers.ts";
import { StreamOrderError } from "./stream-order-error.ts";
import { type StreamDefaults, streamSettings } from "./stream-settings.ts";

/** What a stream is answered with. */
export interface AnswerStreamOptions extends LiveStreamOptions {
  readonly registry: ModelRegistry<ServedModel>;
  readonly defaults: StreamDefaults;
  readonly kind: LiveKind;
}

/**
 * Answers a stream: `configured`, an answer to every frame, `summary`. When the alias it follows moves, or cannot move,
 * `configured` is sent again before the first frame that this is true for. A frame that cannot be scored is dropped with
 * its reason, and the stream goes on.
 *
 * @throws {StreamOrderError} when the configuration is not first, or comes twice
 */
export async function* answerStream(
  requests: AsyncIterable<StreamDetectRequest>,
  options: AnswerStreamOptions,
): AsyncGenerator<StreamResponse, void, undefined> {
  const iterator = requests[Symbol.asyncIterator]();
  const startedMs = performance.now();
  try {
    const settings = streamSettings(await readConfiguration(iterator), options.defaults);
    const following = await options.registry.follow(settings.model);
    const open = options.metrics.opened(options.kind);
    const stream = new LiveStream(settings, () => following.lease(), options, startedMs);
    try {
      void stream.read(iterator);
      yield* stream.outbox;
    } finally {
      stream.abandon();
      open[Symbol.dispose]();
      following.close();
    }
  } finally {
    // Not awaited: a read that is under way ends only with the caller's next message.
    iterator.return?.().catch(() => {});
  }
}

async function readConfiguration(iterator: AsyncIterator<StreamDetectRequest>): Promise<StreamConfiguration> {
  const first = await iterator.next();
  if (first.done === true) throw new StreamOrderError("configuration", "Expected a configuration, got an empty stream");
  const { message } = first.value;
  if (message.case === "configuration") return message.value;
  throw new StreamOrderError("configuration", `Expected the configuration first, got a ${message.case}`);
}
