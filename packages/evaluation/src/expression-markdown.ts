import type { ExpressionReport } from "./expression-report.ts";
import { headLines, interval, leakageLines, tableLines } from "./report-parts.ts";

/** Writes an expression classifier's report for people: figures, the classes one by one, the confusion of classes. */
export function expressionReportToMarkdown(report: ExpressionReport, title: string): string {
  const { expressions, confusion, framesLeftOut } = report;
  const occurring = expressions.filter(({ frames }) => frames > 0).length;
  const figures = [
    ["Top-1 accuracy", interval(report.top1), report.trivialTop1.toFixed(3)],
    ["Mean class accuracy (UAR)", interval(report.meanClassAccuracy), (1 / occurring).toFixed(3)],
    ["Cross-entropy", interval(report.crossEntropy), Math.log(expressions.length).toFixed(3)],
  ];
  const classes = expressions.map(({ expression, frames, recall, f1 }) => [
    expression,
    String(frames),
    interval(recall),
    interval(f1),
  ]);
  const names = expressions.map(({ expression }) => expression);
  const lines = [
    ...headLines(report, title),
    ...(framesLeftOut === 0 ? [] : ["", `Frames left out, whose class the model does not know: ${framesLeftOut}.`]),
    ...tableLines(["Figure", "Value", "Knowing nothing"], figures),
    ...tableLines(["Expression", "Frames", "Recall", "F1"], classes),
    "",
    "Frames by their label (rows) and by the answer (columns):",
    ...tableLines(
      ["Label", ...names],
      confusion.map((row, i) => [names[i]!, ...row.map(String)]),
    ),
    ...leakageLines(report),
  ];
  return `${lines.join("\n")}\n`;
}
