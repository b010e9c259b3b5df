import { actionUnitName } from "@duchenne/data";
import type { Estimate, EvaluationReport } from "./report.ts";

/** Writes a report for people: one table, the means below it, identity leakage against chance. */
export function reportToMarkdown(report: EvaluationReport, title: string): string {
  const rows = report.actionUnits.map(({ actionUnit, prevalence, threshold, f1, trivialF1, auc }) => [
    `AU${actionUnit} ${actionUnitName(actionUnit)}`,
    percent(prevalence),
    interval(f1),
    trivialF1.toFixed(3),
    interval(auc),
    threshold.toFixed(2),
  ]);
  rows.push(["**Mean**", "", interval(report.meanF1), report.meanTrivialF1.toFixed(3), interval(report.macroAuc), ""]);
  const lines = [
    `# ${title}`,
    "",
    `${report.frames} frames of ${report.subjects} subjects. Intervals: 95 %, bootstrap over subjects (${report.resamples} resamples, seed ${report.seed}).`,
    "",
    "| Action unit | Prevalence | F1 | F1 of always present | AUC | Threshold |",
    "|---|---:|---:|---:|---:|---:|",
    ...rows.map((row) => `| ${row.join(" | ")} |`),
  ];
  const { value, threshold } = report.sweptF1;
  lines.push(
    "",
    `F1 with the threshold swept on these frames (as published; optimistic): ${value.toFixed(3)} at ${threshold.toFixed(2)}.`,
  );
  if (report.identityLeakage !== undefined) {
    const { accuracy, chance, subjects, trainFrames, testFrames } = report.identityLeakage;
    lines.push(
      "",
      `Identity leakage: a linear probe on the features names the subject in ${interval(accuracy)} of ${testFrames} frames (chance ${chance.toFixed(3)}; ${subjects} subjects, ${trainFrames} frames to learn from).`,
    );
  }
  return `${lines.join("\n")}\n`;
}

function interval({ value, lower, upper }: Estimate): string {
  if (value === undefined) return "undefined";
  return lower === undefined || upper === undefined
    ? value.toFixed(3)
    : `${value.toFixed(3)} [${lower.toFixed(3)}, ${upper.toFixed(3)}]`;
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
