import { actionUnitName } from "@duchenne/data";
import { CALIBRATION_BINS } from "./calibration.ts";
import type { EvaluationReport } from "./report.ts";
import { type EstimateRow, type ReportBlock, type ReportDocument, reportDocument, text } from "./report-document.ts";
import { interval, percent } from "./report-parts.ts";
import { meanPrevalence, totalConfusion } from "./report-totals.ts";

type UnitReport = EvaluationReport["actionUnits"][number];

/** A detector's report for people: what its decisions and its scores are worth, one by one with the means, and by chance. */
export function detectorDocument(report: EvaluationReport, title: string): ReportDocument {
  return reportDocument(title, report, [
    {
      kind: "estimates",
      caption: "Figures with their 95 % intervals; red: what knowing nothing reaches",
      rows: report.actionUnits.flatMap(estimateRows),
    },
    text("Decisions at the thresholds (found rightly, found wrongly, missed, rightly not found):"),
    decisionTable(report),
    text(
      `F1, swept: with one threshold for all action units, chosen on these very frames (as published; optimistic): ${interval(report.sweptF1)} at ${report.sweptF1.threshold.toFixed(2)}. Its intervals choose anew in every resample.`,
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
    heading: [
      ...["Action unit", "Threshold", "F1", "F1 at 0.5", "F1, swept", "F1 of always present"],
      ...["TP", "FP", "FN", "TN"],
    ],
    rows: report.actionUnits.map((unit) => [
      nameOf(unit),
      `${unit.threshold.toFixed(2)}${unit.thresholdOrigin === undefined ? "" : ` (${unit.thresholdOrigin})`}`,
      interval(unit.f1),
      interval(unit.f1AtHalf),
      interval(unit.sweptF1),
      unit.trivialF1.toFixed(3),
      ...confusionCells(unit.confusion),
    ]),
    footers: [
      [
        "Mean",
        "",
        interval(report.meanF1),
        interval(report.meanF1AtHalf),
        interval(report.sweptF1),
        report.meanTrivialF1.toFixed(3),
        ...["", "", "", ""],
      ],
      ["All together (micro)", "", interval(report.f1Micro), "", "", "", ...confusionCells(totalConfusion(report))],
    ],
  };
}

function confusionCells(confusion: UnitReport["confusion"]): string[] {
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
      percent(unit.prevalence),
      interval(unit.auc),
      interval(unit.averagePrecision),
      interval(unit.calibrationError),
      interval(unit.brierScore),
    ]),
    footers: [
      [
        "Mean",
        "",
        percent(meanPrevalence(report)),
        interval(report.macroAuc),
        interval(report.macroAveragePrecision),
        interval(report.meanCalibrationError),
        interval(report.meanBrierScore),
      ],
    ],
  };
}

function estimateRows({ actionUnit, f1, sweptF1, trivialF1, ...unit }: UnitReport): EstimateRow[] {
  const { auc, averagePrecision, prevalence } = unit;
  const name = `AU${actionUnit}`;
  return [
    { name, figure: "F1", ...f1, chance: trivialF1 },
    { name, figure: "AUC", ...auc, chance: 0.5 },
    { name, figure: "PR-AUC", ...averagePrecision, chance: prevalence },
    // Reports of earlier releases have none.
    ...(sweptF1.value === undefined ? [] : [{ name, figure: "F1, swept", ...sweptF1, chance: trivialF1 }]),
  ];
}

const nameOf = ({ actionUnit }: UnitReport) => `AU${actionUnit} ${actionUnitName(actionUnit)}`;
