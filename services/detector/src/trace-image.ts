import { SCOPE, withSpan } from "@duchenne/rpc/telemetry";
import type { Detection, StageTimes } from "@duchenne/vision";
import { type Context, trace } from "@opentelemetry/api";

/**
 * Runs the work on one image in a span "frame" with a child for each stage.
 *
 * @param receivedMs when the image arrived, by performance.now(): the span begins there, before it waited for its turn
 */
export function traceImage<T>(
  parent: Context,
  receivedMs: number,
  work: () => Promise<T>,
  detectionOf: (result: T) => Detection,
): Promise<T> {
  const startTime = Date.now() - (performance.now() - receivedMs);
  return withSpan(
    "frame",
    {},
    async (span) => {
      const result = await work();
      const detection = detectionOf(result);
      span.setAttribute("duchenne.frame.faces", detection.faces.length);
      recordStages(startTime, detection.times);
      return result;
    },
    { parent, startTime },
  );
}

/** The stages run in another thread, one after the other: their spans are laid out from its times. */
function recordStages(startTime: number, times: StageTimes): void {
  let at = startTime + times.queueMs;
  for (const [name, ms] of [
    ["decode", times.decodeMs],
    ["faces", times.facesMs],
    ["inference", times.inferenceMs],
  ] as const) {
    trace
      .getTracer(SCOPE)
      .startSpan(name, { startTime: at })
      .end(at + ms);
    at += ms;
  }
}

/** Lets the first image of every `everyMs` of a stream be traced: more would cost more than the images themselves. */
export function createTraceSampler(everyMs: number): () => boolean {
  let next = Number.NEGATIVE_INFINITY;
  return () => {
    const now = performance.now();
    if (now < next) return false;
    next = now + everyMs;
    return true;
  };
}
