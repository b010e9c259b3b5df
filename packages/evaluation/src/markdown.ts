import { actionUnitName } from "@duchenne/data";
import { CALIBRATION_BINS } from "./calibration.ts";
import type { EvaluationReport } from "./report.ts";
import { headLines, interval, leakageLines, tableLines } from "./report-parts.ts";

/** Writes a report for people: what decisions and scores are worth, one by one with the means below, and against chance. */
export function reportToMarkdown(report: EvaluationReport, title: string): string {
  const nameOf = (actionUnit: number) => `AU${actionUnit} ${actionUnitName(actionUnit)}`;
  const decisions = report.actionUnits.map((unit) => [
    nameOf(unit.actionUnit),
    unit.thresholdOrigin === undefined
      ? unit.threshold.toFixed(2)
      : `${unit.threshold.toFixed(2)} (${unit.thresholdOrigin})`,
    interval(unit.f1),
    interval(unit.f1AtHalf),
    unit.trivialF1.toFixed(3),
    ...(unit.confusion === undefined
      ? ["", "", "", ""]
      : [
          unit.confusion.truePositives,
          unit.confusion.falsePositives,
          unit.confusion.falseNegatives,
          unit.confusion.trueNegatives,
        ].map(String)),
  ]);
  decisions.push([
    "**Mean**",
    "",
    interval(report.meanF1),
    interval(report.meanF1AtHalf),
    report.meanTrivialF1.toFixed(3),
    ...["", "", "", ""],
  ]);
  const scores = report.actionUnits.map((unit) => [
    nameOf(unit.actionUnit),
    String(unit.frames),
    `${(100 * unit.prevalence).toFixed(1)} %`,
    interval(unit.auc),
    interval(unit.averagePrecision),
    interval(unit.calibrationError),
    interval(unit.brierScore),
  ]);
  scores.push([
    "**Mean**",
    "",
    "",
    interval(report.macroAuc),
    interval(report.macroAveragePrecision),
    interval(report.meanCalibrationError),
    interval(report.meanBrierScore),
  ]);
  const { value, threshold } = report.sweptF1;
  const lines = [
    ...headLines(report, title),
    "",
    "Decisions at the thresholds (found rightly, found wrongly, missed, rightly not found):",
    ...tableLines(
      ["Action unit", "Threshold", "F1", "F1 at 0.5", "F1 of always present", "TP", "FP", "FN", "TN"],
      decisions,
    ),
    "",
    `F1 of all decisions together (micro): ${interval(report.f1Micro)}.`,
    "",
    `F1 with the threshold swept on these frames (as published; optimistic): ${value.toFixed(3)} at ${threshold.toFixed(2)}.`,
    "",
    `Scores (PR-AUC: average precision, by chance the prevalence; calibration error over ${CALIBRATION_BINS} bins of equal width):`,
    ...tableLines(["Action unit", "Frames", "Prevalence", "AUC", "PR-AUC", "Calibration error", "Brier score"], scores),
    ...leakageLines(report),
  ];
  return `${lines.join("\n")}\n`;
}
