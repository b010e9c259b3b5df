import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import type { ProblemList } from "../manifest-error.ts";
import { ACTION_UNIT_PROTOCOLS } from "./action-unit-protocol.ts";
import { BP4D_ACTION_UNITS } from "./bp4d.ts";
import type { CodedFrame } from "./coded-frame.ts";

/**
 * Column of each action unit in the occurrence tables: BP4D has a column for each FACS number, BP4D+ only for those that
 * were coded. Column 0 is the frame.
 */
export const BP4D_COLUMNS = {
  bp4d: BP4D_ACTION_UNITS,
  "bp4d+": [1, 2, 3, 5, 6, 8, 10, 12, 13, 15, 20, 21],
} as const satisfies Record<string, readonly number[]>;

/** 1 occurs, 0 does not, 9 cannot be told. */
const CODES: Readonly<Record<string, number | null>> = { "0": 0, "1": 1, "9": null };

/** Reads the occurrence tables of BP4D or BP4D+: a folder of `F001_T1.csv`, a row a frame, with or without a header. */
export async function readBp4dCodes(
  directory: string,
  name: keyof typeof BP4D_COLUMNS,
  problems: ProblemList,
): Promise<CodedFrame[]> {
  const entries = await readdir(directory).catch(() => undefined);
  const files = entries?.filter((file) => /\.csv$/i.test(file)).sort();
  if (files === undefined || files.length === 0) {
    problems.add("labels", `Expected a folder of tables such as F001_T1.csv at "${directory}", found none`);
  }
  const frames: CodedFrame[] = [];
  for (const file of files ?? []) {
    const [, id, task] = /^([FM]\d{3})_(T\d+)\.csv$/i.exec(file) ?? [];
    const subject = id === undefined ? undefined : ACTION_UNIT_PROTOCOLS[name].subjectFromPath(id);
    if (id === undefined || task === undefined || subject === undefined) {
      problems.add(file, `Expected a table of a subject and a task of ${name}, such as F001_T1.csv`);
      continue;
    }
    const rows = parse(await readFile(join(directory, file), "utf8"), {
      bom: true,
      trim: true,
      relax_column_count: true,
      skip_records_with_error: true,
      on_skip(error) {
        problems.add(file, error?.message ?? "Expected a table");
        return undefined;
      },
    });
    for (const [index, row] of rows.entries()) {
      const frame = Number(row[0]);
      const isFrame = Number.isInteger(frame) && frame >= 1;
      // The header is a row of column numbers, or of names.
      if (!isFrame && index === 0) continue;
      if (!isFrame)
        problems.add(`${file}:${index + 1}`, `Expected a frame from 1 in the first column, got "${row[0]}"`);
      const actionUnits: Record<string, number | null> = {};
      for (const [unit, number] of BP4D_ACTION_UNITS.entries()) {
        const column = BP4D_COLUMNS[name][unit]!;
        const code = CODES[String(Number(row[column] || Number.NaN))];
        if (code !== undefined) actionUnits[number] = code;
        else
          problems.add(
            `${file}:${index + 1}:${column}`,
            `Expected 0, 1 or 9 for AU${number}, got "${row[column] ?? ""}"`,
          );
      }
      frames.push({ subject, id, task, frame, actionUnits });
    }
  }
  return frames;
}
