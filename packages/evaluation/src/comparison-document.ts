import { actionUnitName } from "@duchenne/data";
import type { ScoreComparison } from "./compare-scores.ts";
import { aloneBlocks, type ComparisonNames, type NamedPair, pairedDocument } from "./paired-document.ts";
import type { ReportDocument } from "./report-document.ts";

/** A comparison of detectors for people: each figure of both versions, and its change. */
export function comparisonDocument(comparison: ScoreComparison, names: ComparisonNames): ReportDocument {
  const { macroAuc, meanF1, actionUnits, onlyBefore, onlyAfter } = comparison;
  const unit = (actionUnit: number) => `AU ${actionUnit}`;
  return pairedDocument(
    names,
    comparison,
    [
      ["Macro AUC", macroAuc],
      ["Mean F1", meanF1],
      ...actionUnits.flatMap(({ actionUnit, f1, auc }): NamedPair[] => {
        const name = `AU${actionUnit} ${actionUnitName(actionUnit)}`;
        return [
          [`${name}: F1`, f1],
          [`${name}: AUC`, auc],
        ];
      }),
    ],
    aloneBlocks("In no figure", onlyBefore.map(unit), onlyAfter.map(unit)),
  );
}
