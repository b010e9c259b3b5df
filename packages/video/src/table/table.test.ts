import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DetectedFace, describeBuiltInModel } from "@duchenne/vision";
import { parse } from "csv-parse/sync";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FaceRow } from "./column.ts";
import { COLUMN_SETS, type ColumnSet, columnsOf } from "./column-sets.ts";
import { createTable, TABLE_FORMATS } from "./table-writer.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "duchenne-table-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const source = { model: describeBuiltInModel(), video: '/videos/a "good", day.mp4' };

const face = (level: number): DetectedFace => ({
  box: { left: 10.126, top: 20, width: 30, height: 40 },
  confidence: 0.9,
  headPose: { yaw: 10, pitch: 20, roll: -30 },
  scores: [
    ...source.model.actionUnits.map(({ actionUnit, threshold }) => ({ actionUnit, score: level, threshold })),
    { actionUnit: 12, side: "left", score: level / 2, threshold: 0.5 },
  ],
});

const rows: FaceRow[] = [
  { frame: 0, timestampS: 0, face: { id: 1, found: face(0.25) } },
  { frame: 0, timestampS: 0, face: { id: 2, found: face(0.5) } },
  { frame: 1, timestampS: 61.0400004, face: undefined },
  { frame: 2, timestampS: undefined, face: { id: 2, found: face(1 / 3) } },
];

type Table = Record<string, string | number | null>[];

/** Writes rows in every format and reads each back. */
async function roundTrip(set: ColumnSet, written: readonly FaceRow[]): Promise<Record<string, Table>> {
  const columns = columnsOf(set, source);
  for (const format of TABLE_FORMATS) {
    const table = await createTable(join(folder, `t.${format}`), format, columns);
    for (const row of written) await table.write(row);
    await table.close();
  }
  const isText = (name: string) => columns.find((each) => each.name === name)!.type === "text";
  const lines = (await readFile(join(folder, "t.jsonl"), "utf8")).split("\n").filter(Boolean);
  const csv = parse(await readFile(join(folder, "t.csv")), { columns: true }) as Record<string, string>[];
  return {
    jsonl: lines.map((line) => JSON.parse(line)),
    csv: csv.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, cell]) => [name, cell === "" ? null : isText(name) ? cell : Number(cell)]),
      ),
    ),
    parquet: (await parquetReadObjects({ file: await asyncBufferFromFile(join(folder, "t.parquet")) })) as Table,
  };
}

describe("a table", () => {
  it.each(COLUMN_SETS)("with the columns of %s reads back the same from each format", async (set) => {
    const { jsonl, csv, parquet } = await roundTrip(set, rows);
    expect(jsonl).toHaveLength(rows.length);
    expect(Object.keys(csv![0]!)).toEqual(columnsOf(set, source).map(({ name }) => name));
    expect(csv).toEqual(jsonl);
    expect(parquet).toEqual(csv);
  });

  it("has its header, and a schema, also without a row", async () => {
    expect(await roundTrip("openface", [])).toEqual({ jsonl: [], csv: [], parquet: [] });
    expect(await readFile(join(folder, "t.csv"), "utf8")).toMatch(/^frame,face_id,timestamp,.*AU45_c/);
    const { schema } = await parquetMetadataAsync(await asyncBufferFromFile(join(folder, "t.parquet")));
    expect(schema.slice(1).map(({ name }) => name)).toEqual(columnsOf("openface", source).map(({ name }) => name));
  });

  it("of many rows is written in parts", async () => {
    const many = Array.from({ length: 10_000 }, (_, frame) => ({ ...rows[0]!, frame, timestampS: frame / 30 }));
    const { csv, parquet } = await roundTrip("duchenne", many);
    expect(parquet).toEqual(csv);
    const { row_groups } = await parquetMetadataAsync(await asyncBufferFromFile(join(folder, "t.parquet")));
    expect(row_groups.map(({ num_rows }) => num_rows)).toEqual([4096n, 4096n, 1808n]);
  });
});

describe("the columns", () => {
  it("of our own say scores, sides and decisions", async () => {
    const { jsonl } = await roundTrip("duchenne", rows);
    expect(jsonl![0]).toMatchObject({
      frame: 0,
      timestamp_s: 0,
      face_id: 1,
      left: 10.13,
      yaw: 10,
      pitch: 20,
      roll: -30,
    });
    expect(jsonl![0]).toMatchObject({ AU12: 0.25, AU12_left: 0.125, AU12_right: null, AU12_present: 0 });
    // Present from the threshold on.
    expect(jsonl![1]).toMatchObject({ AU12: 0.5, AU12_present: 1 });
    expect(jsonl![2]).toMatchObject({ frame: 1, timestamp_s: 61.04, face_id: null, confidence: null, AU12: null });
    expect(jsonl![3]).toMatchObject({ frame: 2, timestamp_s: null, face_id: 2, AU12: 0.333333 });
  });

  it("of OpenFace are named and counted as OpenFace's, without intensities", async () => {
    const { jsonl } = await roundTrip("openface", rows);
    expect(Object.keys(jsonl![0]!).slice(0, 9)).toEqual(
      ["frame", "face_id", "timestamp", "confidence", "success", "pose_Rx", "pose_Ry", "pose_Rz", "AU01_c"], // biome-ignore format: a header
    );
    expect(Object.keys(jsonl![0]!).filter((name) => name.endsWith("_r"))).toEqual([]);
    expect(jsonl![0]).toMatchObject({ frame: 1, face_id: 0, confidence: 0.9, success: 1, AU12_c: 0 });
    // Looking up, to the person's left, tilted anticlockwise as the image shows it.
    expect(jsonl![0]).toMatchObject({ pose_Rx: -0.349066, pose_Ry: -0.174533, pose_Rz: -0.523599 });
    expect(jsonl![1]).toMatchObject({ face_id: 1, AU12_c: 1 });
    // What the model does not answer is there, and empty; what OpenFace does not know comes behind.
    expect(jsonl![1]).toMatchObject({ AU45_c: null, AU06_c: null, AU43_c: 1 });
    expect(jsonl![2]).toMatchObject({
      frame: 2,
      timestamp: 61.04,
      confidence: 0,
      success: 0,
      face_id: null,
      AU12_c: null,
    });
  });

  it("of py-feat are named as py-feat's", async () => {
    const { jsonl } = await roundTrip("pyfeat", rows);
    expect(jsonl![0]).toMatchObject({
      FaceRectX: 10.13,
      FaceRectY: 20,
      FaceRectWidth: 30,
      FaceRectHeight: 40,
      FaceScore: 0.9,
      Pitch: 0.349066,
      Roll: 0.523599,
      Yaw: -0.174533,
      AU12: 0.25,
      AU06: null,
      AU43: 0.25,
      Identity: "Person_0",
      input: 'a "good", day.mp4',
      frame: 0,
      approx_time: "00:00",
    });
    const units = Object.keys(jsonl![0]!).filter((name) => /^AU\d\d$/.test(name));
    expect(units).toHaveLength(20);
    expect(jsonl![2]).toMatchObject({ FaceScore: null, AU12: null, Identity: null, frame: 1, approx_time: "01:01" });
  });
});
