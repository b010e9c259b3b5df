import { type CsvError, parse } from "csv-parse/sync";
import { parseWhere } from "../json-lines.ts";
import type { ProblemList } from "../manifest-error.ts";
import { type ManifestLine, manifestLineSchema } from "./manifest-line.ts";

const TEXT_COLUMNS = ["image", "subject", "expression", "partition"] as const;
const BOX_COLUMNS = { box_left: "left", box_top: "top", box_width: "width", box_height: "height" } as const;

/** A manifest as a table. */
export interface CsvManifest {
  readonly rows: readonly { readonly where: string; readonly value: ManifestLine }[];
  /** Action units of the header, in its order. */
  readonly actionUnits: readonly number[];
}

/**
 * Reads a manifest as a table: a header with `image` and any of `subject`, `expression`, `partition`, `fold`, `box_left`,
 * `box_top`, `box_width`, `box_height` and columns of action units (`AU12`, `au_12`, `AU04`). An empty cell is not known.
 * A column of another name is a problem: a misspelt one would lose its labels silently.
 */
export function parseCsvManifest(file: string, text: string, problems: ProblemList): CsvManifest {
  const report = (error: CsvError) => {
    problems.add(`${file}:${"lines" in error ? error.lines : 1}`, error.message);
    return undefined;
  };
  const records = parse(text, {
    bom: true,
    trim: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_skip: (error) => (error === undefined ? undefined : report(error)),
    // The line goes along as a first cell.
    on_record: (cells: string[], { lines }) => [String(lines), ...cells],
  }).map(([line, ...cells]) => ({ line, cells }));
  const [header, ...body] = records;
  if (header === undefined) {
    problems.add(file, "Expected a header, got an empty file");
    return { rows: [], actionUnits: [] };
  }
  const before = problems.count();
  const columns = header.cells.map((name, index) => columnFrom(name, `${file}:1:${name || index + 1}`, problems));
  const keys = columns.map((column) => column && `${column.kind}:${column.key}`);
  for (const [index, key] of keys.entries()) {
    if (key !== undefined && keys.indexOf(key) !== index) {
      problems.add(`${file}:1:${header.cells[index]}`, "Expected each column once, this one stands twice");
    }
  }
  if (!keys.includes("text:image")) problems.add(`${file}:1`, 'Expected a column "image"');
  if (problems.count() > before) return { rows: [], actionUnits: [] };
  return {
    rows: body.flatMap(({ line, cells }) => {
      const where = `${file}:${line}`;
      const value = parseWhere(manifestLineSchema, lineFrom(cells, columns), where, problems);
      return value === undefined ? [] : [{ where, value }];
    }),
    actionUnits: columns.flatMap((column) => (column?.kind === "actionUnit" ? [Number(column.key)] : [])),
  };
}

interface Column {
  readonly kind: "text" | "fold" | "box" | "actionUnit";
  readonly key: string;
}

function columnFrom(name: string, where: string, problems: ProblemList): Column | undefined {
  const lower = name.toLowerCase();
  if (TEXT_COLUMNS.some((column) => column === lower)) return { kind: "text", key: lower };
  if (lower === "fold") return { kind: "fold", key: lower };
  for (const [column, key] of Object.entries(BOX_COLUMNS)) if (column === lower) return { kind: "box", key };
  const number = /^au[_ ]?0*([1-9]\d*)$/.exec(lower)?.[1];
  if (number !== undefined) return { kind: "actionUnit", key: number };
  const known = [...TEXT_COLUMNS, "fold", ...Object.keys(BOX_COLUMNS)].join(", ");
  problems.add(where, `Expected a column of ${known} or an action unit such as AU12, got "${name}"`);
  return undefined;
}

function lineFrom(cells: readonly string[], columns: readonly (Column | undefined)[]): object {
  const line: Record<string, unknown> = {};
  const actionUnits: Record<string, unknown> = {};
  const box: Record<string, unknown> = {};
  for (const [index, column] of columns.entries()) {
    const cell = cells[index]!;
    if (column === undefined) continue;
    if (column.kind === "actionUnit") actionUnits[column.key] = cell === "" ? null : numberFrom(cell);
    else if (cell === "") continue;
    else if (column.kind === "text") line[column.key] = cell;
    else if (column.kind === "fold") line[column.key] = numberFrom(cell);
    else box[column.key] = numberFrom(cell);
  }
  return { ...line, actionUnits, ...(Object.keys(box).length === 0 ? {} : { box }) };
}

/** What is no number stays a text, which the schema then refuses. */
function numberFrom(cell: string): number | string {
  const number = Number(cell);
  return Number.isFinite(number) ? number : cell;
}
