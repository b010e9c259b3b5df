import type { PairedComparison } from "./compare-paired.ts";
import type { ScoreComparison } from "./compare-scores.ts";
import { type ReportBlock, type ReportDocument, text } from "./report-document.ts";
import { interval } from "./report-parts.ts";

/** What a comparison is of, for people. */
export interface ComparisonNames {
  readonly title: string;
  readonly before: string;
  readonly after: string;
}

/** What every comparison says of how it was made. */
export type ComparisonHead = Pick<
  ScoreComparison,
  "frames" | "subjects" | "intervalsOver" | "resamples" | "seed" | "confidence"
>;

/** A figure of two models by its name, such as "Macro AUC" or "AU12 Lip corner puller: F1". */
export type NamedPair = readonly [name: string, pair: PairedComparison];

/** A comparison of two models for people: each figure of both, its change, and which changes are told from none. */
export function pairedDocument(
  { title, before, after }: ComparisonNames,
  head: ComparisonHead,
  figures: readonly NamedPair[],
  more: readonly ReportBlock[],
): ReportDocument {
  const { frames, subjects, intervalsOver, resamples, seed, confidence } = head;
  const whose = intervalsOver === "subjects" ? `${subjects} subjects` : "unknown subjects";
  return {
    title,
    blocks: [
      text(`First: ${before}. Second: ${after}.`),
      text(
        `${frames} frames of ${whose}, the same for both. Intervals: ${+(100 * confidence).toFixed(2)} %, paired bootstrap over ${intervalsOver} (${resamples} resamples, seed ${seed}). A change whose interval holds 0 may be chance.`,
      ),
      text(toldLine(figures)),
      {
        kind: "table",
        heading: ["Figure", "First", "Second", "Change"],
        rows: figures.map(([name, pair]) => [name, interval(pair.before), interval(pair.after), changeOf(pair)]),
      },
      ...more,
    ],
  };
}

/** What one model alone answers, if there is such. @param lead such as "In no figure" */
export function aloneBlocks(lead: string, before: readonly string[], after: readonly string[]): ReportBlock[] {
  const alone = [
    ...(before.length === 0 ? [] : [`of the first alone ${before.join(", ")}`]),
    ...(after.length === 0 ? [] : [`of the second alone ${after.join(", ")}`]),
  ];
  return alone.length === 0 ? [] : [text(`${lead}: ${alone.join("; ")}.`)];
}

function toldLine(figures: readonly NamedPair[]): string {
  const named = (is: (pair: PairedComparison) => boolean) =>
    figures.flatMap(([name, pair]) => (is(pair) ? name : [])).join(", ") || "nothing";
  const higher = named(({ change }) => (change.lower ?? 0) > 0);
  const lower = named(({ change }) => (change.upper ?? 0) < 0);
  if (higher === "nothing" && lower === "nothing") return "No change is told from none.";
  return `Higher in the second: ${higher}. Lower: ${lower}. Intervals are not corrected for how many figures there are: among many, some are told from none by chance.`;
}

/** The change, in bold where its interval is on one side of 0. */
function changeOf({ change }: PairedComparison): string {
  const isTold = (change.lower ?? 0) > 0 || (change.upper ?? 0) < 0;
  return isTold ? `**${interval(change)}**` : interval(change);
}
