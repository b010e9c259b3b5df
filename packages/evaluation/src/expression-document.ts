import type { ExpressionReport } from "./expression-report.ts";
import { type ReportDocument, reportDocument, text } from "./report-document.ts";
import { interval } from "./report-parts.ts";

/** An expression classifier's report for people: figures, the classes one by one, the confusion of classes. */
export function expressionDocument(report: ExpressionReport, title: string): ReportDocument {
  const { expressions, confusion, framesLeftOut } = report;
  const occurring = expressions.filter(({ frames }) => frames > 0).length;
  const names = expressions.map(({ expression }) => expression);
  return reportDocument(title, report, [
    ...(framesLeftOut === 0 ? [] : [text(`Frames left out, whose class the model does not know: ${framesLeftOut}.`)]),
    {
      kind: "table",
      heading: ["Figure", "Value", "Knowing nothing"],
      rows: [
        ["Top-1 accuracy", interval(report.top1), report.trivialTop1.toFixed(3)],
        ["Mean class accuracy (UAR)", interval(report.meanClassAccuracy), (1 / occurring).toFixed(3)],
        ["Macro F1", interval(report.macroF1), (1 / occurring).toFixed(3)],
        ["Cross-entropy", interval(report.crossEntropy), Math.log(expressions.length).toFixed(3)],
      ],
    },
    {
      kind: "estimates",
      caption: "Figures of each class with their 95 % intervals",
      rows: expressions.flatMap(({ expression, recall, f1 }) => [
        { name: expression, figure: "Recall", ...recall },
        { name: expression, figure: "F1", ...f1 },
      ]),
    },
    {
      kind: "table",
      heading: ["Expression", "Frames", "Recall", "F1"],
      rows: expressions.map(({ expression, frames, recall, f1 }) => [
        expression,
        String(frames),
        interval(recall),
        interval(f1),
      ]),
    },
    text("Frames by their label (rows) and by the answer (columns):"),
    {
      kind: "table",
      heading: ["Label", ...names],
      rows: confusion.map((row, i) => [names[i]!, ...row.map(String)]),
    },
    {
      kind: "confusion",
      caption: "The same: the stronger the colour, the larger the share of the row",
      names,
      confusion,
    },
  ]);
}
