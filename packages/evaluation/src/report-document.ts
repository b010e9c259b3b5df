import type { CalibrationBin } from "./calibration.ts";
import type { PairedComparison } from "./compare-paired.ts";
import type { Estimate, ReportHead } from "./report.ts";
import { headLine, leakageLine } from "./report-parts.ts";

/** One estimate of a chart. */
export interface EstimateRow extends Estimate {
  /** The panel that it stands in, such as "AUC". */
  readonly figure: string;
  /** The line that it stands on, such as "AU12". */
  readonly name: string;
  /** What knowing nothing reaches. */
  readonly chance?: number | undefined;
}

/** What one of several runs reached. */
export interface RunRow {
  /** The panel that it stands in, such as "AUC". */
  readonly figure: string;
  /** The line that it stands on, such as "AU12". */
  readonly name: string;
  readonly value: number | undefined;
}

/** How a figure changes from one model to another. */
export interface ChangeRow extends PairedComparison {
  /** The panels that it stands in, such as "AUC". */
  readonly figure: string;
  /** The line that it stands on, such as "AU12". */
  readonly name: string;
}

/** One bin of an action unit. */
export interface CalibrationRow extends CalibrationBin {
  readonly name: string;
}

/** A cell of a table, which may stand out. */
export type Cell = string | { readonly strong: string };

/** A mark of a scatter plot. */
export interface ScatterPoint {
  readonly x: number;
  readonly y: number;
  readonly subject: string;
  /** Where its picture is. */
  readonly image: string;
  /** Per action unit of the plot 1 present, 0 absent, null unknown. */
  readonly labels: readonly (0 | 1 | null)[];
}

/** A part of a report as people read it. Charts are shown where pictures can be. */
export type ReportBlock =
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "table";
      /** The first column is of text, the others are of numbers. */
      readonly heading: readonly string[];
      readonly rows: readonly (readonly Cell[])[];
      /** Rows below, such as the means. */
      readonly footers?: readonly (readonly string[])[];
    }
  | { readonly kind: "estimates"; readonly caption: string; readonly rows: readonly EstimateRow[] }
  | { readonly kind: "runs"; readonly caption: string; readonly rows: readonly RunRow[] }
  | { readonly kind: "changes"; readonly caption: string; readonly rows: readonly ChangeRow[] }
  | { readonly kind: "calibration"; readonly caption: string; readonly rows: readonly CalibrationRow[] }
  | {
      readonly kind: "confusion";
      readonly caption: string;
      readonly names: readonly string[];
      readonly confusion: readonly (readonly number[])[];
    }
  | {
      readonly kind: "scatter";
      readonly caption: string;
      readonly points: readonly ScatterPoint[];
      /** What marks can be coloured by, beside their subjects. */
      readonly actionUnits: readonly { readonly name: string; readonly description: string }[];
    };

/** A report as people read it, whatever it is written in. */
export interface ReportDocument {
  readonly title: string;
  readonly blocks: readonly ReportBlock[];
}

/** A text of a document. */
export const text = (content: string): ReportBlock => ({ kind: "text", text: content });

/** A document with what every report says at its beginning and end. */
export function reportDocument(title: string, report: ReportHead, blocks: readonly ReportBlock[]): ReportDocument {
  const leakage = leakageLine(report);
  return {
    title,
    blocks: [text(headLine(report)), ...blocks, ...(leakage === undefined ? [] : [text(leakage)])],
  };
}
