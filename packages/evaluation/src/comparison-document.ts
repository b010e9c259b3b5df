import { actionUnitName } from "@duchenne/data";
import type { ScoreComparison } from "./compare-scores.ts";
import { aloneBlocks, type ComparisonNames, pairedDocument } from "./paired-document.ts";
import type { ReportDocument } from "./report-document.ts";

/** A comparison of detectors for people: each figure of both versions, and its change. */
export function comparisonDocument(comparison: ScoreComparison, names: ComparisonNames): ReportDocument {
  const { macroAuc, meanF1, actionUnits, onlyBefore, onlyAfter } = comparison;
  const unit = (actionUnit: number) => `AU ${actionUnit}`;
  return pairedDocument(
    names,
    comparison,
    {
      all: "All action units",
      ofAll: [
        ["Macro AUC", macroAuc],
        ["Mean F1", meanF1],
      ],
      ofEach: actionUnits.map(({ actionUnit, f1, auc }) => ({
        name: `AU${actionUnit}`,
        title: `AU${actionUnit} ${actionUnitName(actionUnit)}`,
        figures: [
          ["F1", f1],
          ["AUC", auc],
        ],
      })),
    },
    aloneBlocks("In no figure", onlyBefore.map(unit), onlyAfter.map(unit)),
  );
}
