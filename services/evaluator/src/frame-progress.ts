import type { AttemptTools } from "@duchenne/jobs";

const REPORT_EVERY_MS = 500;

/** Tells of the frames that are done, at most twice a second and at the end. */
export function createFrameProgress(emit: AttemptTools["emit"], phase: string): (done: number, total: number) => void {
  const startMs = performance.now();
  let lastMs = 0;
  return (done, total) => {
    const now = performance.now();
    if (done < total && now - lastMs < REPORT_EVERY_MS) return;
    lastMs = now;
    const imagesPerSecond = (1000 * done) / (now - startMs);
    const etaMs = (1000 * (total - done)) / imagesPerSecond;
    const steps = { step: done, totalSteps: total, fraction: done / total, epoch: 0 };
    emit({ kind: "progress", phase, ...steps, etaMs, imagesPerSecond });
  };
}
