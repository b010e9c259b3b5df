import { createHash } from "node:crypto";
import type { ParameterSet } from "@duchenne/model";
import type { TrainingEvent } from "../src/index.ts";

/** What a run of a training left. */
export interface Run<R> {
  readonly events: readonly TrainingEvent[];
  /** When it came to its end. */
  readonly result?: R;
  /** What it threw. */
  readonly thrown?: unknown;
  /** The last one. */
  readonly checkpoint?: Uint8Array;
}

/**
 * Runs a training to its end, or tells it to stop when an event is as it should be.
 *
 * @param start begins the training
 */
export async function runTraining<R>(
  start: (signal: AbortSignal) => AsyncGenerator<TrainingEvent, R, undefined>,
  stopAt: (event: TrainingEvent) => boolean = () => false,
): Promise<Run<R>> {
  const stop = new AbortController();
  const training = start(stop.signal);
  const events: TrainingEvent[] = [];
  let checkpoint: Uint8Array | undefined;
  const outcome = (rest: { result?: R; thrown?: unknown }) => ({ events, ...rest, ...(checkpoint && { checkpoint }) });
  try {
    for (;;) {
      const next = await training.next();
      if (next.done === true) return outcome({ result: next.value });
      events.push(next.value);
      if (next.value.kind === "checkpoint") checkpoint = next.value.bytes;
      if (stopAt(next.value)) stop.abort(new Error("stopped"));
    }
  } catch (thrown) {
    return outcome({ thrown });
  }
}

/** A digest of every bit of some parameters, by name. */
export function digestsOf(parameters: ParameterSet): Record<string, string> {
  return Object.fromEntries(
    [...parameters].map(([name, { data }]) => [
      name,
      createHash("sha256")
        .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
        .digest("hex"),
    ]),
  );
}

/** The metrics of a run's events, each with its step. */
export function metricsOf({ events }: Run<unknown>): Record<string, number>[] {
  return events.flatMap((event) => (event.kind === "metrics" ? [{ step: event.step, ...event.values }] : []));
}
