import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ACTION_UNIT_PROTOCOLS, type ActionUnitProtocolName } from "../../protocols/action-unit-protocol.ts";
import { BP4D_ACTION_UNITS } from "../../protocols/bp4d.ts";
import { BP4D_COLUMNS } from "../../protocols/read-bp4d-codes.ts";
import type { SyntheticLine } from "../write-subject.ts";
import { PROTOCOL_IMAGES } from "./protocol-layout.ts";

/** Intensity from which an action unit occurs. */
const OCCURS_FROM = 2;
/** Stands in label rows for what does not occur. */
const ABSENT = 999;
/** Stands in occurrence tables for what was not coded. */
const NOT_CODED = 9;
/** Columns of the occurrence tables, the frame's included: each FACS number to 99, and 34 coded action units. */
const TABLE_WIDTH = { bp4d: 100, "bp4d+": 35 } as const;
/** The action units that DISFA codes, beside the eight that are published upon. */
const DISFA_CODED = [1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26];

/**
 * Writes a set's labels as the data set has them, beside its images: JSON lines in `labels`, a file a fold, and the
 * original tables, `AU_OCC` or `ActionUnit_Labels`.
 */
export async function writeProtocolLabels(
  folder: string,
  protocol: ActionUnitProtocolName,
  lines: readonly SyntheticLine[],
): Promise<void> {
  const tables = protocol === "disfa" ? intensityFiles(lines) : occurrenceTables(protocol, lines);
  for (const [path, text] of [...foldFiles(protocol, lines), ...tables]) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), `${text.join("\n")}\n`);
  }
}

type TextFile = readonly [path: string, lines: readonly string[]];

/** The rows of the published evaluations, of the subjects of each fold. */
function foldFiles(protocol: ActionUnitProtocolName, lines: readonly SyntheticLine[]): TextFile[] {
  const { actionUnits, folds } = ACTION_UNIT_PROTOCOLS[protocol];
  return folds.map((fold: readonly string[], index) => {
    const rows = lines
      .filter(({ subject }) => fold.includes(subject))
      .map(({ image, intensities }) =>
        JSON.stringify({
          img_path: image.slice(PROTOCOL_IMAGES.length + 1),
          AUs: actionUnits.map((number) => (intensities[number]! >= OCCURS_FROM ? number : ABSENT)),
        }),
      );
    return [`labels/fold_${index + 1}.json`, rows];
  });
}

/** `AU_OCC/F001_T1.csv`: a row a frame, a column an action unit, 9 for those that the data set's readers do not take. */
function occurrenceTables(protocol: "bp4d" | "bp4d+", lines: readonly SyntheticLine[]): TextFile[] {
  const width = TABLE_WIDTH[protocol];
  const tables = Map.groupBy(lines, ({ place }) => `AU_OCC/${place!.id}_${place!.task}.csv`);
  return [...tables].map(([path, frames]) => {
    const header = Array.from({ length: width }, (_, column) => column).join(",");
    const rows = frames.map(({ place, intensities }) => {
      const row = Array.from({ length: width }, () => NOT_CODED);
      row[0] = place!.frame;
      for (const [unit, number] of BP4D_ACTION_UNITS.entries()) {
        row[BP4D_COLUMNS[protocol][unit]!] = intensities[number]! >= OCCURS_FROM ? 1 : 0;
      }
      return row.join(",");
    });
    return [path, [header, ...rows]];
  });
}

/** `ActionUnit_Labels/SN001/SN001_au1.txt`: a line a frame, the intensity as coders say it, a whole number. */
function intensityFiles(lines: readonly SyntheticLine[]): TextFile[] {
  const subjects = Map.groupBy(lines, ({ subject }) => subject);
  return [...subjects].flatMap(([subject, frames]) =>
    DISFA_CODED.map((number): TextFile => {
      const rows = frames.map(({ place, intensities }) => `${place!.frame},${Math.round(intensities[number]!)}`);
      return [`ActionUnit_Labels/${subject}/${subject}_au${number}.txt`, rows];
    }),
  );
}
