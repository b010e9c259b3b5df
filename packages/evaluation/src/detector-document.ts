import { actionUnitName } from "@duchenne/data";
import { CALIBRATION_BINS } from "./calibration.ts";
import type { EvaluationReport } from "./report.ts";
import { type EstimateRow, type ReportBlock, type ReportDocument, reportDocument, text } from "./report-document.ts";
import { interval } from "./report-parts.ts";

type UnitReport = EvaluationReport["actionUnits"][number];

/** A detector's report for people: what its decisions and its scores are worth, one by one with the means, and by chance. */
export function detectorDocument(report: EvaluationReport, title: string): ReportDocument {
  const { value, threshold } = report.sweptF1;
  return reportDocument(title, report, [
    {
      kind: "estimates",
      caption: "Figures with their 95 % intervals; red: what knowing nothing reaches",
      rows: report.actionUnits.flatMap(estimateRows),
    },
    text("Decisions at the thresholds (found rightly, found wrongly, missed, rightly not found):"),
    decisionTable(report),
    text(`F1 of all decisions together (micro): ${interval(report.f1Micro)}.`),
    text(
      `F1 with the threshold swept on these frames (as published; optimistic): ${value.toFixed(3)} at ${threshold.toFixed(2)}.`,
    ),
    text(
      `Scores (PR-AUC: average precision, by chance the prevalence; calibration error over ${CALIBRATION_BINS} bins of equal width):`,
    ),
    scoreTable(report),
    {
      kind: "calibration",
      caption: "How often an action unit occurs of the frames that call it so probable; calibrated: the dashed line",
      rows: report.actionUnits.flatMap(({ actionUnit, calibrationBins }) =>
        calibrationBins.map((bin) => ({ ...bin, name: `AU${actionUnit}` })),
      ),
    },
  ]);
}

function decisionTable(report: EvaluationReport): ReportBlock {
  return {
    kind: "table",
    heading: ["Action unit", "Threshold", "F1", "F1 at 0.5", "F1 of always present", "TP", "FP", "FN", "TN"],
    rows: report.actionUnits.map((unit) => [
      nameOf(unit),
      `${unit.threshold.toFixed(2)}${unit.thresholdOrigin === undefined ? "" : ` (${unit.thresholdOrigin})`}`,
      interval(unit.f1),
      interval(unit.f1AtHalf),
      unit.trivialF1.toFixed(3),
      ...confusionCells(unit),
    ]),
    footer: [
      "Mean",
      "",
      interval(report.meanF1),
      interval(report.meanF1AtHalf),
      report.meanTrivialF1.toFixed(3),
      ...["", "", "", ""],
    ],
  };
}

function confusionCells({ confusion }: UnitReport): string[] {
  if (confusion === undefined) return ["", "", "", ""];
  const { truePositives, falsePositives, falseNegatives, trueNegatives } = confusion;
  return [truePositives, falsePositives, falseNegatives, trueNegatives].map(String);
}

function scoreTable(report: EvaluationReport): ReportBlock {
  return {
    kind: "table",
    heading: ["Action unit", "Frames", "Prevalence", "AUC", "PR-AUC", "Calibration error", "Brier score"],
    rows: report.actionUnits.map((unit) => [
      nameOf(unit),
      String(unit.frames),
      `${(100 * unit.prevalence).toFixed(1)} %`,
      interval(unit.auc),
      interval(unit.averagePrecision),
      interval(unit.calibrationError),
      interval(unit.brierScore),
    ]),
    footer: [
      "Mean",
      "",
      "",
      interval(report.macroAuc),
      interval(report.macroAveragePrecision),
      interval(report.meanCalibrationError),
      interval(report.meanBrierScore),
    ],
  };
}

function estimateRows({ actionUnit, f1, trivialF1, auc, averagePrecision, prevalence }: UnitReport): EstimateRow[] {
  const name = `AU${actionUnit}`;
  return [
    { name, figure: "F1", ...f1, chance: trivialF1 },
    { name, figure: "AUC", ...auc, chance: 0.5 },
    { name, figure: "PR-AUC", ...averagePrecision, chance: prevalence },
  ];
}

const nameOf = ({ actionUnit }: UnitReport) => `AU${actionUnit} ${actionUnitName(actionUnit)}`;
