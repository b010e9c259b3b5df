import type { Estimate, ReportHead } from "./report.ts";

/** What was measured on, and where intervals come from. */
export function headLine(report: ReportHead): string {
  const { frames, subjects, intervalsOver, resamples, seed } = report;
  const whose = intervalsOver === "subjects" ? `of ${subjects} subjects` : "of unknown subjects";
  const bootstrap = `95 %, bootstrap over ${intervalsOver} (${resamples} resamples, seed ${seed})`;
  return `${frames} frames ${whose}. Intervals: ${bootstrap}.`;
}

/** A table, its first column of text and the others of numbers. Names may hold what Markdown ends cells and rows with. */
export function tableLines(heading: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll(/[\r\n]+/g, " ")).join(" | ")} |`;
  return ["", line(heading), `|---|${"---:|".repeat(heading.length - 1)}`, ...rows.map(line)];
}

/** What identity leakage was measured, if it was. */
export function leakageLine({ identityLeakage }: ReportHead): string | undefined {
  if (identityLeakage === undefined) return undefined;
  const { accuracy, chance, subjects, trainFrames, testFrames } = identityLeakage;
  return `Identity leakage: a linear probe on the features names the subject in ${interval(accuracy)} of ${testFrames} frames (chance ${chance.toFixed(3)}; ${subjects} subjects, ${trainFrames} frames to learn from).`;
}

/** A share, such as "12.5 %"; nothing of none. */
export function percent(share: number | undefined): string {
  return share === undefined ? "" : `${(100 * share).toFixed(1)} %`;
}

/** An estimate, such as "0.500 [0.400, 0.600]". */
export function interval({ value, lower, upper }: Estimate): string {
  if (value === undefined) return "undefined";
  return lower === undefined || upper === undefined
    ? value.toFixed(3)
    : `${value.toFixed(3)} [${lower.toFixed(3)}, ${upper.toFixed(3)}]`;
}
