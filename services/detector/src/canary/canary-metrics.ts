import { SCOPE } from "@duchenne/rpc/telemetry";
import { metrics } from "@opentelemetry/api";
import type { ScoreComparison } from "./compare-detections.ts";

/** What became of a frame that was chosen for the canary. */
export type MirrorOutcome = "compared" | "skipped" | "failed";

/** Measures how canaries differ from what is live. */
export interface CanaryMetrics {
  frame(outcome: MirrorOutcome): void;
  score(comparison: ScoreComparison): void;
}

/** The canary's instruments. Create after telemetry was started. */
export function createCanaryMetrics(): CanaryMetrics {
  const meter = metrics.getMeter(SCOPE);
  const frames = meter.createCounter("duchenne.detector.canary.frames", {
    description: "Frames chosen for the canary, by outcome.",
  });
  const differences = meter.createHistogram("duchenne.detector.canary.score.difference", {
    description: "How far the canary's score lies from the live one, without sign.",
    advice: { explicitBucketBoundaries: [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5] },
  });
  const decisions = meter.createCounter("duchenne.detector.canary.decisions", {
    description: "Action units of faces, by which of the two models calls them present.",
  });
  return {
    frame: (outcome) => frames.add(1, { outcome }),
    score({ actionUnit, difference, decision }) {
      if (difference !== undefined) differences.record(Math.abs(difference), { action_unit: actionUnit });
      decisions.add(1, { action_unit: actionUnit, outcome: decision });
    },
  };
}
