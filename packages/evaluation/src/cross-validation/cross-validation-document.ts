import { actionUnitName } from "@duchenne/data";
import { type ReportBlock, type ReportDocument, text } from "../report-document.ts";
import { interval, percent } from "../report-parts.ts";
import { meanPrevalence } from "../report-totals.ts";
import type {
  CrossValidatedFigure,
  CrossValidatedFigureName,
  CrossValidationReport,
} from "./cross-validation-report.ts";

/** The figures of the tables, with their headings. */
const SHOWN = [
  ["f1", "F1"],
  ["f1AtHalf", "F1 at 0.5"],
  ["sweptF1", "F1, swept"],
  ["auc", "AUC"],
  ["averagePrecision", "PR-AUC"],
] as const satisfies readonly (readonly [CrossValidatedFigureName, string])[];
const CALIBRATION = [
  ["calibrationError", "Calibration error"],
  ["brierScore", "Brier score"],
] as const satisfies readonly (readonly [CrossValidatedFigureName, string])[];

/** A cross-validation for people: the figures of all folds together, how they vary, and each run. */
export function crossValidationDocument(report: CrossValidationReport, title: string): ReportDocument {
  const { folds, seeds, runs, frames, subjects, resamples, seed } = report;
  const each = seeds.length === 1 ? "once" : "once a seed";
  const unsure = seeds.length === 1 ? "" : "; in brackets: over seeds";
  return {
    title,
    blocks: [
      text(
        `${folds} folds with ${seeds.length === 1 ? "seed" : "seeds"} ${seeds.join(", ")}: ${runs.length} trainings. ${frames} frames of ${subjects} subjects, each held out ${each}. Intervals: 95 %, bootstrap over subjects (${resamples} resamples, seed ${seed}).`,
      ),
      text(
        'F1: at each version\'s own thresholds. F1, swept: with one threshold for all action units, chosen on the very frames (as published; optimistic). Means over action units stand below; those of always answering "present" beside.',
      ),
      {
        kind: "estimates",
        caption: "All folds together, with 95 % intervals; red: what knowing nothing reaches",
        rows: report.actionUnits.flatMap(({ actionUnit, f1, trivialF1, auc, averagePrecision, prevalence }) => {
          const name = `AU${actionUnit}`;
          return [
            { name, figure: "F1", ...f1.pooled, chance: trivialF1 },
            { name, figure: "AUC", ...auc.pooled, chance: 0.5 },
            { name, figure: "PR-AUC", ...averagePrecision.pooled, chance: prevalence },
          ];
        }),
      },
      text("The held-out frames of all folds together:"),
      pooledTable(report),
      text(`Fold by fold: mean ± standard deviation over folds${unsure}:`),
      spreadTable(report),
      {
        kind: "runs",
        caption: "Each training on its own held-out fold: the width is what one fold alone leaves open",
        rows: runs.flatMap((run) =>
          run.actionUnits.flatMap((figures, unit) => {
            const name = `AU${report.actionUnits[unit]!.actionUnit}`;
            return [
              { name, figure: "F1", value: figures.f1 },
              { name, figure: "AUC", value: figures.auc },
              { name, figure: "PR-AUC", value: figures.averagePrecision },
            ];
          }),
        ),
      },
      text("Each training on its own held-out fold, means over action units:"),
      runTable(report),
    ],
  };
}

function pooledTable({ actionUnits, mean }: CrossValidationReport): ReportBlock {
  const figures = [...SHOWN, ...CALIBRATION];
  const cells = (of: Record<CrossValidatedFigureName, CrossValidatedFigure>) =>
    figures.map(([name]) => interval(of[name].pooled));
  return {
    kind: "table",
    heading: ["Action unit", "Frames", "Prevalence", "F1 of always present", ...figures.map(([, heading]) => heading)],
    rows: actionUnits.map((unit) => [
      nameOf(unit),
      String(unit.frames),
      percent(unit.prevalence),
      unit.trivialF1.toFixed(3),
      ...cells(unit),
    ]),
    footers: [["Mean", "", percent(meanPrevalence({ actionUnits })), mean.trivialF1.toFixed(3), ...cells(mean)]],
  };
}

function spreadTable({ actionUnits, mean }: CrossValidationReport): ReportBlock {
  const cells = (of: Record<CrossValidatedFigureName, CrossValidatedFigure>) => SHOWN.map(([name]) => spread(of[name]));
  return {
    kind: "table",
    heading: ["Action unit", ...SHOWN.map(([, heading]) => heading)],
    rows: actionUnits.map((unit) => [nameOf(unit), ...cells(unit)]),
    footers: [["Mean", ...cells(mean)]],
  };
}

function runTable({ runs }: CrossValidationReport): ReportBlock {
  const isProbed = runs.some(({ identityLeakage }) => identityLeakage !== undefined);
  return {
    kind: "table",
    heading: [
      "Fold and seed",
      "Subjects",
      "Frames",
      ...SHOWN.map(([, heading]) => heading),
      ...(isProbed ? ["Identity leakage (chance)"] : []),
    ],
    rows: runs.map(({ fold, seed, subjects, frames, mean, sweptThreshold, identityLeakage: leakage }) => [
      `${fold}, ${seed}`,
      String(subjects),
      String(frames),
      ...SHOWN.map(([name]) => {
        const at = name === "sweptF1" ? ` at ${sweptThreshold.toFixed(2)}` : "";
        return mean[name] === undefined ? "undefined" : mean[name].toFixed(3) + at;
      }),
      ...(isProbed
        ? [leakage === undefined ? "undefined" : `${interval(leakage.accuracy)} (${leakage.chance.toFixed(3)})`]
        : []),
    ]),
  };
}

/** Such as "0.512 ± 0.061 (± 0.010)". */
function spread({ mean, foldDeviation, seedDeviation }: CrossValidatedFigure): string {
  if (mean === undefined) return "undefined";
  const overFolds = foldDeviation === undefined ? "" : ` ± ${foldDeviation.toFixed(3)}`;
  const overSeeds = seedDeviation === undefined ? "" : ` (± ${seedDeviation.toFixed(3)})`;
  return mean.toFixed(3) + overFolds + overSeeds;
}

const nameOf = ({ actionUnit }: { readonly actionUnit: number }) => `AU${actionUnit} ${actionUnitName(actionUnit)}`;
