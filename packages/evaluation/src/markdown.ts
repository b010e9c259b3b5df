import { actionUnitName } from "@duchenne/data";
import type { EvaluationReport } from "./report.ts";
import { headLines, interval, leakageLines, tableLines } from "./report-parts.ts";

/** Writes a report for people: one table, the means below it, identity leakage against chance. */
export function reportToMarkdown(report: EvaluationReport, title: string): string {
  const rows = report.actionUnits.map(({ actionUnit, prevalence, threshold, f1, trivialF1, auc }) => [
    `AU${actionUnit} ${actionUnitName(actionUnit)}`,
    `${(100 * prevalence).toFixed(1)} %`,
    interval(f1),
    trivialF1.toFixed(3),
    interval(auc),
    threshold.toFixed(2),
  ]);
  rows.push(["**Mean**", "", interval(report.meanF1), report.meanTrivialF1.toFixed(3), interval(report.macroAuc), ""]);
  const { value, threshold } = report.sweptF1;
  const lines = [
    ...headLines(report, title),
    ...tableLines(["Action unit", "Prevalence", "F1", "F1 of always present", "AUC", "Threshold"], rows),
    "",
    `F1 with the threshold swept on these frames (as published; optimistic): ${value.toFixed(3)} at ${threshold.toFixed(2)}.`,
    ...leakageLines(report),
  ];
  return `${lines.join("\n")}\n`;
}
