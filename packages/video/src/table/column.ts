import type { DetectedFace } from "@duchenne/vision";

/** What a cell holds; null where there is nothing to say. */
export type Cell = number | string | null;

/** One face of one frame, or a frame without a face. */
export interface FaceRow {
  /** From 0. */
  readonly frame: number;
  /** The container's presentation time, in seconds; undefined when the container has none. */
  readonly timestampS: number | undefined;
  /** Undefined in a frame without a face. */
  readonly face:
    | {
        /** From 1, never given twice. */
        readonly id: number;
        readonly found: DetectedFace;
      }
    | undefined;
}

/** A column of a table of faces. */
export interface Column {
  readonly name: string;
  readonly type: "integer" | "real" | "text";
  readonly cell: (row: FaceRow) => Cell;
}

/** A whole number of a row. */
export function integer(name: string, value: (row: FaceRow) => number | undefined): Column {
  return { name, type: "integer", cell: (row) => value(row) ?? null };
}

/** A number of a row, to so many decimals, so that every format holds the same. */
export function real(name: string, decimals: number, value: (row: FaceRow) => number | undefined): Column {
  const scale = 10 ** decimals;
  return {
    name,
    type: "real",
    cell(row) {
      const exact = value(row);
      // Adding 0 turns -0 to 0.
      return exact === undefined ? null : Math.round(exact * scale) / scale + 0;
    },
  };
}

/** A text of a row. */
export function text(name: string, value: (row: FaceRow) => string | undefined): Column {
  return { name, type: "text", cell: (row) => value(row) ?? null };
}

/** The seconds of a frame, to the microsecond. */
export function seconds(name: string): Column {
  return real(name, 6, ({ timestampS }) => timestampS);
}

/** The score of an action unit, of the whole face or of one side. */
export function scoreOf({ face }: FaceRow, actionUnit: number, side?: "left" | "right"): number | undefined {
  return face?.found.scores.find((each) => each.actionUnit === actionUnit && each.side === side)?.score;
}

/** 1 when an action unit is present: its score reaches its threshold; 0 when not. */
export function presenceOf({ face }: FaceRow, actionUnit: number): 0 | 1 | undefined {
  const found = face?.found.scores.find((each) => each.actionUnit === actionUnit && each.side === undefined);
  return found === undefined ? undefined : found.score >= found.threshold ? 1 : 0;
}

/** "AU01", as the field's tools write it. */
export function actionUnitName(actionUnit: number): string {
  return `AU${String(actionUnit).padStart(2, "0")}`;
}
