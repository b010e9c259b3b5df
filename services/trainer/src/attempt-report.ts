import type { AttemptTools } from "@duchenne/jobs";
import { withSpan } from "@duchenne/rpc/telemetry";
import type { TrainingEvent } from "@duchenne/training";
import { createEpochSpans } from "./attempt-epoch-spans.ts";

/** Passes a training's events on, and answers what it made. */
export async function report<R>(
  training: AsyncGenerator<TrainingEvent, R, undefined>,
  tools: Pick<AttemptTools, "emit" | "saveCheckpoint">,
): Promise<R> {
  const epochs = createEpochSpans();
  try {
    for (;;) {
      const next = await training.next();
      if (next.done === true) return next.value;
      const event = next.value;
      switch (event.kind) {
        case "progress":
          epochs.reached(event.epoch);
          tools.emit({ ...event, fraction: event.step / event.totalSteps });
          break;
        case "checkpoint":
          await withSpan("checkpoint", { "duchenne.training.step": event.step }, () =>
            tools.saveCheckpoint(event.step, event.bytes),
          );
          break;
        case "metrics":
          tools.emit({ ...event, values: { ...event.values } });
          break;
        case "log":
          tools.emit(event);
      }
    }
  } finally {
    epochs.end();
  }
}
