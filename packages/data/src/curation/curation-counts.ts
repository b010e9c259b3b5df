import type { CurationLine } from "./curation-line.ts";
import { EXCLUSION_REASONS, type ExclusionReason } from "./curation-options.ts";

/** What a curation has come to. */
export interface CurationCounts {
  /** Files that are done, whatever became of them. */
  readonly sources: number;
  /** Videos among them that were read to their end. */
  readonly videos: number;
  /** Images that were kept. */
  readonly kept: number;
  /** Those of them that have the bytes of their file. */
  readonly asTheyWere: number;
  /** Files and frames that were left out, by reason. */
  readonly leftOut: Readonly<Record<ExclusionReason, number>>;
}

/** Counts lines as they are written or read again. */
export interface CurationTally {
  add(line: CurationLine): void;
  counts(): CurationCounts;
}

/** Starts at nothing. */
export function createTally(): CurationTally {
  let [sources, videos, kept, asTheyWere] = [0, 0, 0, 0];
  const leftOut = Object.fromEntries(EXCLUSION_REASONS.map((reason) => [reason, 0])) as Record<ExclusionReason, number>;
  return {
    add(line) {
      if (line.kind === "video") {
        videos++;
        sources++;
        return;
      }
      if (line.frame === undefined) sources++;
      if (line.kind === "left_out") leftOut[line.reason]++;
      else {
        kept++;
        if (line.asItWas) asTheyWere++;
      }
    },
    counts: () => ({ sources, videos, kept, asTheyWere, leftOut: { ...leftOut } }),
  };
}

/** "3 too_small, 1 undecodable": what was left out, in words. */
export function describeExclusions({ leftOut }: Pick<CurationCounts, "leftOut">): string {
  const told = EXCLUSION_REASONS.filter((reason) => leftOut[reason] > 0);
  return told.map((reason) => `${leftOut[reason]} ${reason.replaceAll("_", " ")}`).join(", ");
}
