import type { ExpressionComparison } from "./compare-expressions.ts";
import { aloneBlocks, type ComparisonNames, pairedDocument } from "./paired-document.ts";
import { type ReportDocument, text } from "./report-document.ts";

/** A comparison of expression classifiers for people: each figure of both, its change, and whose answers were right. */
export function expressionComparisonDocument(comparison: ExpressionComparison, names: ComparisonNames): ReportDocument {
  const { top1, meanClassAccuracy, macroF1, expressions, answers, onlyBefore, onlyAfter } = comparison;
  return pairedDocument(
    names,
    comparison,
    {
      all: "All classes",
      ofAll: [
        ["Top-1 accuracy", top1],
        ["Mean class accuracy (UAR)", meanClassAccuracy],
        ["Macro F1", macroF1],
      ],
      ofEach: expressions.map(({ expression, recall, f1 }) => ({
        name: expression,
        title: expression,
        figures: [
          ["Recall", recall],
          ["F1", f1],
        ],
      })),
    },
    [
      text("Frames by who answered their class:"),
      {
        kind: "table",
        heading: ["Frames", "Second right", "Second wrong"],
        rows: [
          ["First right", String(answers.bothRight), String(answers.onlyBeforeRight)],
          ["First wrong", String(answers.onlyAfterRight), String(answers.bothWrong)],
        ],
      },
      ...aloneBlocks("In no figure, nor are their frames", onlyBefore, onlyAfter),
    ],
  );
}
