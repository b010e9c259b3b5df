import type { AttemptTools } from "@duchenne/jobs";

const REPORT_EVERY_MS = 500;

/** A part of a job's work. */
export interface Phase {
  /** What is being done, such as "predicting". */
  readonly phase: string;
  readonly totalSteps: number;
  /** The job's done share at its beginning and end; default 0 and 1. */
  readonly share?: readonly [from: number, to: number];
  /** Whether a step is an image. */
  readonly countsImages?: boolean;
}

/**
 * Tells how far a phase is: call it with the steps done and, where it turns out otherwise than expected, of how many. Told
 * are its end and otherwise two a second.
 */
export function phaseProgress(
  emit: AttemptTools["emit"],
  { phase, totalSteps, share: [from, to] = [0, 1], countsImages = false }: Phase,
): (done: number, of?: number) => void {
  const startMs = performance.now();
  let lastMs = 0;
  return (done, of = totalSteps) => {
    const now = performance.now();
    if (done < of && now - lastMs < REPORT_EVERY_MS) return;
    lastMs = now;
    const perSecond = (1000 * done) / (now - startMs);
    const etaMs = (1000 * (of - done)) / perSecond;
    const fraction = from + ((to - from) * done) / of;
    const rate = countsImages ? { imagesPerSecond: perSecond } : {};
    emit({ kind: "progress", phase, step: done, totalSteps: of, fraction, epoch: 0, etaMs, ...rate });
  };
}
