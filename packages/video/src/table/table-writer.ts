import { type FileHandle, open } from "node:fs/promises";
import { fileWriter, ParquetWriter, type SchemaElement } from "hyparquet-writer";
import type { Cell, Column, FaceRow } from "./column.ts";

/** The formats of tables, which are also the endings of their files. */
export const TABLE_FORMATS = ["jsonl", "csv", "parquet"] as const;
/** The format of a table. */
export type TableFormat = (typeof TABLE_FORMATS)[number];

/** Writes a table's rows as they come; what it holds does not grow with them. */
export interface TableWriter {
  write(row: FaceRow): Promise<void>;
  /** Writes what is left. The file is whole only then. */
  close(): Promise<void>;
}

/** Starts a table; a file that is there is replaced. */
export function createTable(path: string, format: TableFormat, columns: readonly Column[]): Promise<TableWriter> {
  switch (format) {
    case "jsonl":
      return createTextTable(path, columns, undefined, jsonLine);
    case "csv":
      return createTextTable(path, columns, columns.map(({ name }) => csvCell(name)).join(","), csvLine);
    case "parquet":
      return createParquetTable(path, columns);
  }
}

/** Text that is gathered before it is written. */
const BUFFERED_CHARACTERS = 2 ** 16;

async function createTextTable(
  path: string,
  columns: readonly Column[],
  header: string | undefined,
  lineOf: (columns: readonly Column[], row: FaceRow) => string,
): Promise<TableWriter> {
  const file: FileHandle = await open(path, "w");
  let buffered = header === undefined ? "" : `${header}\n`;
  const flush = async () => {
    const text = buffered;
    buffered = "";
    await file.appendFile(text);
  };
  return {
    async write(row) {
      buffered += `${lineOf(columns, row)}\n`;
      if (buffered.length >= BUFFERED_CHARACTERS) await flush();
    },
    async close() {
      try {
        await flush();
      } finally {
        await file.close();
      }
    },
  };
}

function jsonLine(columns: readonly Column[], row: FaceRow): string {
  return JSON.stringify(Object.fromEntries(columns.map(({ name, cell }) => [name, cell(row)])));
}

function csvLine(columns: readonly Column[], row: FaceRow): string {
  return columns.map(({ cell }) => csvCell(cell(row))).join(",");
}

/** RFC 4180; nothing is an empty cell, which readers take as missing. */
function csvCell(cell: Cell): string {
  if (cell === null) return "";
  const plain = String(cell);
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

/** Rows of a row group: some hundred kilobytes. */
const GROUP_ROWS = 4096;

const PARQUET_TYPES: Readonly<Record<Column["type"], Omit<SchemaElement, "name">>> = {
  integer: { type: "INT32", repetition_type: "OPTIONAL" },
  real: { type: "DOUBLE", repetition_type: "OPTIONAL" },
  text: { type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
};

async function createParquetTable(path: string, columns: readonly Column[]): Promise<TableWriter> {
  const schema = columns.map(({ name, type }) => ({ name, ...PARQUET_TYPES[type] }));
  const writer = new ParquetWriter({
    writer: fileWriter(path),
    schema: [{ name: "root", num_children: columns.length }, ...schema],
    createdBy: "duchenne",
  });
  let cells: Cell[][] = columns.map(() => []);
  const flush = async () => {
    const columnData = columns.map(({ name }, i) => ({ name, data: cells[i]!, offsetIndex: false }));
    cells = columns.map(() => []);
    await writer.write({ columnData, rowGroupSize: GROUP_ROWS });
  };
  return {
    async write(row) {
      for (const [i, { cell }] of columns.entries()) cells[i]!.push(cell(row));
      if (cells[0]!.length >= GROUP_ROWS) await flush();
    },
    async close() {
      if (cells[0]!.length > 0) await flush();
      await writer.finish();
    },
  };
}
