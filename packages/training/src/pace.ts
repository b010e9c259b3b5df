/** Between two reports of progress. */
const REPORT_EVERY_MS = 500;

/** How fast a training is. */
export interface Speed {
  readonly imagesPerSecond: number;
  readonly etaMs: number;
  /** Share of the time since the last report in which a step waited for its images. */
  readonly inputWaitShare: number;
}

/** Measures speed and says how long the rest will take. */
export interface Pace {
  /** Waits for what a step needs, and counts the time. */
  waitFor<T>(input: Promise<T>): Promise<T>;
  /** The speed since the last report when that was long enough ago, and at the end; undefined otherwise. */
  report(step: number): Speed | undefined;
}

/** Starts to measure. @param imagesPerStep images that a step sees */
export function createPace(totalSteps: number, startStep: number, imagesPerStep: number): Pace {
  const startMs = performance.now();
  let last = { step: startStep, atMs: startMs };
  let waitedMs = 0;
  return {
    async waitFor(input) {
      const fromMs = performance.now();
      try {
        return await input;
      } finally {
        waitedMs += performance.now() - fromMs;
      }
    },
    report(step) {
      const nowMs = performance.now();
      const sinceMs = nowMs - last.atMs;
      const isFirst = last.step === startStep && step === startStep + 1;
      if (step < totalSteps && !isFirst && sinceMs < REPORT_EVERY_MS) return undefined;
      const speed = {
        imagesPerSecond: (1000 * imagesPerStep * (step - last.step)) / sinceMs,
        etaMs: ((nowMs - startMs) / (step - startStep)) * (totalSteps - step),
        inputWaitShare: Math.min(waitedMs / sinceMs, 1),
      };
      last = { step, atMs: nowMs };
      waitedMs = 0;
      return speed;
    },
  };
}
