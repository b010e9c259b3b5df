import { type DuchenneClient, type FrameInput, streamFrames } from "@duchenne/client";
import type { FramePolicy, FrameResult, StageTimes } from "@duchenne/proto";

/** What one stream got. */
export interface StreamOutcome {
  readonly results: readonly FrameResult[];
  readonly dropped: number;
  /** From the first frame to the last answer. */
  readonly seconds: number;
}

/**
 * Runs one stream to its end.
 *
 * @param oneByOne a frame is sent when the one before was answered
 * @param untilMs answers that come later, by performance.now(), do not count
 */
export async function runStream(
  client: DuchenneClient,
  source: AsyncIterable<FrameInput> | Iterable<FrameInput>,
  configuration: { readonly model?: string; readonly policy?: FramePolicy; readonly maxFaces?: number },
  { oneByOne = false, untilMs = Number.POSITIVE_INFINITY } = {},
): Promise<StreamOutcome> {
  const results: FrameResult[] = [];
  let dropped = 0;
  let answered = Promise.withResolvers<void>();
  async function* afterAnswers(): AsyncGenerator<FrameInput> {
    for await (const frame of source) {
      yield frame;
      await answered.promise;
      answered = Promise.withResolvers();
    }
  }
  const frames = oneByOne ? afterAnswers() : source;
  const startedMs = performance.now();
  for await (const answer of streamFrames(client, frames, configuration)) {
    const counts = performance.now() <= untilMs;
    if (counts && answer.case === "result") results.push(answer.value);
    if (counts && answer.case === "dropped") dropped++;
    if (answer.case === "result" || answer.case === "dropped") answered.resolve();
  }
  return { results, dropped, seconds: (performance.now() - startedMs) / 1000 };
}

/** The same frame at a fixed rate until a moment, as a camera gives it; a late consumer finds them waiting. */
export async function* camera(frame: FrameInput, frameRateHz: number, untilMs: number): AsyncGenerator<FrameInput> {
  const startedMs = performance.now();
  for (let dueMs = startedMs, i = 0; dueMs < untilMs; dueMs = startedMs + (1000 * ++i) / frameRateHz) {
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    yield { ...frame };
  }
}

/** A stage of every result, in milliseconds. */
export function stageMs(results: readonly FrameResult[], stage: Exclude<keyof StageTimes, `$${string}`>): number[] {
  return results.flatMap(({ times }) => {
    const duration = times?.[stage];
    // Not durationMs, which rounds to whole milliseconds.
    return typeof duration === "object" ? [1000 * Number(duration.seconds) + duration.nanos / 1e6] : [];
  });
}

/** The value below which a share of the values lies; 0 when there is none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((p, q) => p - q);
  return sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)] ?? 0;
}
