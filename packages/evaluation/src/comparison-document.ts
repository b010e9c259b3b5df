import { actionUnitName } from "@duchenne/data";
import type { PairedComparison } from "./compare-paired.ts";
import type { ScoreComparison } from "./compare-scores.ts";
import { type ReportDocument, text } from "./report-document.ts";
import { interval } from "./report-parts.ts";

/** A comparison for people: each figure of both versions, and its change. */
export function comparisonDocument(
  comparison: ScoreComparison,
  { title, before, after }: { readonly title: string; readonly before: string; readonly after: string },
): ReportDocument {
  const { frames, subjects, intervalsOver, resamples, seed, confidence, onlyBefore, onlyAfter } = comparison;
  const whose = intervalsOver === "subjects" ? `${subjects} subjects` : "unknown subjects";
  const cells = (pair: PairedComparison) => [interval(pair.before), interval(pair.after), changeOf(pair)];
  const left = [
    ...(onlyBefore.length === 0 ? [] : [`of the first alone AU ${onlyBefore.join(", ")}`]),
    ...(onlyAfter.length === 0 ? [] : [`of the second alone AU ${onlyAfter.join(", ")}`]),
  ];
  return {
    title,
    blocks: [
      text(`First: ${before}. Second: ${after}.`),
      text(
        `${frames} frames of ${whose}, the same for both. Intervals: ${+(100 * confidence).toFixed(2)} %, paired bootstrap over ${intervalsOver} (${resamples} resamples, seed ${seed}). A change whose interval holds 0 may be chance.`,
      ),
      {
        kind: "table",
        heading: ["Figure", "First", "Second", "Change"],
        rows: [
          ["Macro AUC", ...cells(comparison.macroAuc)],
          ["Mean F1", ...cells(comparison.meanF1)],
          ...comparison.actionUnits.flatMap(({ actionUnit, f1, auc }) => {
            const name = `AU${actionUnit} ${actionUnitName(actionUnit)}`;
            return [
              [`${name}: F1`, ...cells(f1)],
              [`${name}: AUC`, ...cells(auc)],
            ];
          }),
        ],
      },
      ...(left.length === 0 ? [] : [text(`In no figure: ${left.join("; ")}.`)]),
    ],
  };
}

/** The change, in bold where its interval is on one side of 0. */
function changeOf({ change }: PairedComparison): string {
  const isTold = (change.lower ?? 0) > 0 || (change.upper ?? 0) < 0;
  return isTold ? `**${interval(change)}**` : interval(change);
}
