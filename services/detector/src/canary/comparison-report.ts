import type { Logger } from "@duchenne/rpc";
import type { ScoreComparison } from "./compare-detections.ts";

/** The two versions that are compared. */
export interface ComparedPair {
  readonly live: string;
  readonly canary: string;
}

/** How often a comparison that goes on is written to the log, in milliseconds. */
const REPORT_EVERY_MS = 60_000;

/**
 * Sums a comparison up for the log, for operators without a collector, and by version, which metrics do not tell: a line
 * every minute, when another pair is compared, and at the end.
 */
export class ComparisonReport {
  readonly #logger: Logger;
  #pair: ComparedPair = { live: "", canary: "" };
  #sinceMs = 0;
  #frames = 0;
  #failures = 0;
  #scores = 0;
  #same = 0;
  #differences = 0;
  #sum = 0;
  #largest = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @param nowMs by performance.now() */
  compared(pair: ComparedPair, comparisons: readonly ScoreComparison[], nowMs: number): void {
    this.#turnTo(pair, nowMs);
    this.#frames++;
    for (const { difference, decision } of comparisons) {
      this.#scores++;
      if (decision === "same") this.#same++;
      if (difference === undefined) continue;
      this.#differences++;
      this.#sum += Math.abs(difference);
      this.#largest = Math.max(this.#largest, Math.abs(difference));
    }
  }

  /** The canary failed on a frame; the first error of a report is written. */
  failed(pair: ComparedPair, error: unknown, nowMs: number): void {
    this.#turnTo(pair, nowMs);
    if (this.#failures++ === 0) this.#logger.warn({ ...pair, error }, "The canary failed on a frame");
  }

  /** Writes what there is. */
  end(): void {
    if (this.#frames > 0 || this.#failures > 0) {
      this.#logger.info(
        {
          ...this.#pair,
          frames: this.#frames,
          failures: this.#failures,
          scores: this.#scores,
          ...(this.#scores > 0 && { sameDecisions: rounded(this.#same / this.#scores) }),
          ...(this.#differences > 0 && {
            meanDifference: rounded(this.#sum / this.#differences),
            largestDifference: rounded(this.#largest),
          }),
        },
        "The canary was compared with what is live",
      );
    }
    this.#frames = this.#failures = this.#scores = this.#same = this.#differences = this.#sum = this.#largest = 0;
  }

  #turnTo(pair: ComparedPair, nowMs: number): void {
    const same = pair.live === this.#pair.live && pair.canary === this.#pair.canary;
    if (same && nowMs - this.#sinceMs < REPORT_EVERY_MS) return;
    this.end();
    this.#pair = pair;
    this.#sinceMs = nowMs;
  }
}

function rounded(value: number): number {
  return Number(value.toFixed(4));
}
