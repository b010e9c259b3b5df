import { SCOPE } from "@duchenne/rpc/telemetry";
import { type Span, trace } from "@opentelemetry/api";

/** A span for each epoch of a training. */
export interface EpochSpans {
  /** @param epoch epochs done, as a real number */
  reached(epoch: number): void;
  end(): void;
}

/** Starts with the span of the first epoch that is told of. */
export function createEpochSpans(): EpochSpans {
  let current: { readonly epoch: number; readonly span: Span } | undefined;
  return {
    reached(epochsDone) {
      const epoch = Math.floor(epochsDone);
      if (current?.epoch === epoch) return;
      current?.span.end();
      const span = trace.getTracer(SCOPE).startSpan("epoch", { attributes: { "duchenne.training.epoch": epoch } });
      current = { epoch, span };
    },
    end() {
      current?.span.end();
      current = undefined;
    },
  };
}
