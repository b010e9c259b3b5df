/** What a training tells while it runs. */
export type TrainingEvent =
  | {
      readonly kind: "progress";
      /** What is being done. */
      readonly phase: string;
      /** Steps done. */
      readonly step: number;
      readonly totalSteps: number;
      /** Epochs done, as a real number. */
      readonly epoch: number;
      readonly imagesPerSecond: number;
      readonly etaMs: number;
    }
  | {
      readonly kind: "metrics";
      readonly step: number;
      readonly epoch: number;
      /** By name, such as "train/auLoss" or "validation/meanF1". */
      readonly values: Readonly<Record<string, number>>;
    }
  | { readonly kind: "checkpoint"; readonly step: number; readonly bytes: Uint8Array }
  | { readonly kind: "log"; readonly level: "info" | "warn" | "error"; readonly text: string };

/** Thrown when a loss is no number any more: the weights are lost, an earlier checkpoint is not. */
export class NonFiniteLossError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "NON_FINITE_LOSS";

  constructor(step: number, loss: number) {
    super(`The loss became ${loss} in step ${step}. Try a lower base learning rate or lambda.`);
    this.name = "NonFiniteLossError";
  }
}

/** Measures speed and says how long the rest will take. */
export function createPace(totalSteps: number, startStep: number) {
  const startMs = performance.now();
  let lastReportMs = Number.NEGATIVE_INFINITY;
  return {
    /** True when the last report was long enough ago, and at the end. */
    isDue(step: number): boolean {
      const now = performance.now();
      if (step < totalSteps && now - lastReportMs < REPORT_EVERY_MS) return false;
      lastReportMs = now;
      return true;
    },
    measure(step: number, batchSize: number): { readonly imagesPerSecond: number; readonly etaMs: number } {
      const msPerStep = (performance.now() - startMs) / Math.max(step - startStep, 1);
      return { imagesPerSecond: (1000 * batchSize) / msPerStep, etaMs: msPerStep * (totalSteps - step) };
    },
  };
}

const REPORT_EVERY_MS = 500;
