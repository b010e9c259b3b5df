import { SCOPE } from "@duchenne/rpc/telemetry";
import type { StageTimes } from "@duchenne/vision";
import { metrics } from "@opentelemetry/api";

/** How a live stream comes: as one call, or as a session of many. */
export type LiveKind = "stream" | "session";

/** Counts live streams and images, and measures the images' stages. */
export interface FrameMetrics {
  /** A live stream begins; it ends when what is returned is disposed of. */
  opened(kind: LiveKind): Disposable;
  result(times: StageTimes): void;
  drop(reason: string): void;
  /** A batch of so many faces is scored. */
  batch(size: number): void;
}

/** The detector's instruments. Create after telemetry was started. */
export function createFrameMetrics(): FrameMetrics {
  const meter = metrics.getMeter(SCOPE);
  const frames = meter.createCounter("duchenne.detector.frames", { description: "Images answered, by outcome." });
  const open = meter.createUpDownCounter("duchenne.detector.streams", {
    description: "Live streams and sessions that are open.",
  });
  const durations = meter.createHistogram("duchenne.detector.frame.duration", {
    unit: "s",
    description: "Duration of each stage of an image.",
    advice: { explicitBucketBoundaries: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2] },
  });
  const batches = meter.createHistogram("duchenne.detector.batch.size", {
    description: "Faces of a batch that is scored.",
    advice: { explicitBucketBoundaries: [1, 2, 4, 8, 16, 32, 64, 128] },
  });
  return {
    opened(kind) {
      open.add(1, { kind });
      return { [Symbol.dispose]: () => open.add(-1, { kind }) };
    },
    batch: (size) => batches.record(size),
    result({ decodeMs, queueMs, facesMs, inferenceMs, totalMs }) {
      frames.add(1, { outcome: "result" });
      for (const [stage, ms] of Object.entries({ decodeMs, queueMs, facesMs, inferenceMs, totalMs })) {
        durations.record(ms / 1000, { stage: stage.slice(0, -2) });
      }
    },
    drop: (reason) => frames.add(1, { outcome: reason }),
  };
}
