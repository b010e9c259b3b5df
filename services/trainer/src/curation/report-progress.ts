import type { CurationCounts, CurationProgress } from "@duchenne/data";
import type { AttemptTools } from "@duchenne/jobs";

/** Between two reports: a curation can take days, and each is stored. */
const REPORT_EVERY_MS = 2_000;

/** Tells of a curation's progress and counts, every now and then and at its end. */
export function reportProgress(emit: AttemptTools["emit"]): (progress: CurationProgress) => void {
  const startMs = performance.now();
  let lastMs = startMs;
  let isTold = false;
  return ({ counts, totalSources, sourcesBefore, judged }) => {
    if (!isTold && sourcesBefore > 0) {
      emit({
        kind: "log",
        level: "info",
        text: `Goes on after ${sourcesBefore} files that an earlier attempt has done`,
      });
    }
    isTold = true;
    const now = performance.now();
    const isLast = counts.sources >= totalSources;
    if (now - lastMs < REPORT_EVERY_MS && !isLast) return;
    lastMs = now;
    // Files that came since they were counted do not make it more than whole.
    const totalSteps = Math.max(totalSources, counts.sources);
    const done = counts.sources - sourcesBefore;
    const elapsedMs = now - startMs;
    emit({
      kind: "progress",
      phase: "curating",
      fraction: counts.sources / totalSteps,
      step: counts.sources,
      totalSteps,
      epoch: 0,
      imagesPerSecond: (1000 * judged) / elapsedMs,
      ...(done > 0 && { etaMs: (elapsedMs * (totalSteps - counts.sources)) / done }),
    });
    emit({ kind: "metrics", step: counts.sources, epoch: 0, values: metricsOf(counts) });
  };
}

function metricsOf({ kept, leftOut }: CurationCounts): Record<string, number> {
  const reasons = Object.entries(leftOut).map(([reason, count]) => [`curation/${reason}`, count] as const);
  return { "curation/kept": kept, ...Object.fromEntries(reasons) };
}
