import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createDataFolder } from "../../test-fixtures/data-folder.ts";
import { ManifestError } from "../manifest-error.ts";
import { openDataset } from "../open-dataset.ts";
import { BP4D_ACTION_UNITS } from "./bp4d.ts";
import { convertLabels } from "./convert-labels.ts";
import { DISFA } from "./disfa.ts";

/** A row of BP4D's tables: a column for each FACS number. */
function bp4dRow(frame: number, codes: Readonly<Record<number, number>>): string {
  const row = Array.from({ length: 100 }, () => 9);
  row[0] = frame;
  for (const number of BP4D_ACTION_UNITS) row[number] = codes[number] ?? 0;
  return row.join(",");
}

const problemsOf = async (conversion: Promise<unknown>) => {
  const error = await conversion.catch((thrown: unknown) => thrown);
  if (!(error instanceof ManifestError)) throw new Error(`Expected a ManifestError, got ${error}`);
  return error.violations.map(({ field }) => field);
};

describe("convertLabels", () => {
  it("keeps BP4D's 9 as unknown, and leaves out frames without an image", async () => {
    await using folder = await createDataFolder();
    const [labelDirectory, imageDirectory] = [join(folder.path, "AU_OCC"), join(folder.path, "images")];
    const header = Array.from({ length: 100 }, (_, i) => i).join(",");
    await folder.writeLines("AU_OCC/F001_T1.csv", [header, bp4dRow(1, { 1: 1, 24: 9 }), bp4dRow(2, { 12: 1 })]);
    await folder.writeLines("AU_OCC/M018_T8.csv", [bp4dRow(7, { 10: 1 })]);
    await folder.draw("images/2F01_T1/frame_1.jpg", "images/2M18_T8/frame_7.jpg");
    expect(await convertLabels({ protocol: "bp4d", labelDirectory, imageDirectory })).toEqual({
      frames: 2,
      framesWithoutImage: 1,
      subjects: 2,
    });
    const dataset = await openDataset(imageDirectory);
    expect(dataset).toMatchObject({ protocol: "bp4d", actionUnits: [...BP4D_ACTION_UNITS] });
    expect(dataset.samples.map(({ subjectIndex, occurrence }) => [subjectIndex, ...occurrence])).toEqual([
      [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1],
      [40, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0],
    ]);
    expect(await problemsOf(convertLabels({ protocol: "bp4d", labelDirectory, imageDirectory }))).toEqual([
      "dataset.json",
    ]);
  });

  it("finds BP4D+'s action units in their columns, and images where one says", async () => {
    await using folder = await createDataFolder();
    const columns = [1, 2, 3, 5, 6, 8, 10, 12, 13, 15, 20, 21];
    for (const [unit, column] of columns.entries()) {
      const row = Array.from({ length: 35 }, (_, i) => (i === 0 ? unit + 1 : i === column ? 1 : 0));
      await folder.writeLines(`labels/F0${10 + unit}_T1.csv`, [row.join(",")]);
      await folder.draw(`images/F0${10 + unit}/T1/${String(unit + 1).padStart(4, "0")}.jpg`);
    }
    const imageDirectory = join(folder.path, "images");
    await convertLabels({
      protocol: "bp4d+",
      labelDirectory: join(folder.path, "labels"),
      imageDirectory,
      imagePath: "{id}/{task}/{frame:4}.jpg",
    });
    const { samples } = await openDataset(imageDirectory);
    expect(samples.map(({ occurrence }) => [...occurrence])).toEqual(
      columns.map((_, unit) => columns.map((__, other) => (unit === other ? 1 : 0))),
    );
  });

  it("keeps DISFA's intensities and takes 2 as occurring", async () => {
    await using folder = await createDataFolder();
    for (const [unit, number] of DISFA.actionUnits.entries()) {
      await folder.writeLines(`labels/SN003/SN003_au${number}.txt`, ["1,0", ...(unit === 0 ? [] : [`2,${unit % 6}`])]);
    }
    await folder.writeLines("labels/SN003/SN003_au17.txt", ["1,5"]);
    await folder.draw("images/RightVideoSN003/frame_1.jpg", "images/RightVideoSN003/frame_2.jpg");
    const imageDirectory = join(folder.path, "images");
    await convertLabels({ protocol: "disfa", labelDirectory: join(folder.path, "labels"), imageDirectory });
    const [, second] = (await openDataset(imageDirectory)).samples;
    expect([...second!.intensity]).toEqual([Number.NaN, 1, 2, 3, 4, 5, 0, 1]);
    expect([...second!.occurrence]).toEqual([-1, 0, 1, 1, 1, 1, 0, 0]);
    expect(second!.subjectIndex).toBe(18);
  });

  it("tells every problem and writes nothing", async () => {
    await using folder = await createDataFolder();
    await folder.draw("2F01_T1/frame_1.jpg");
    await folder.writeLines("labels/F001_T1.csv", [bp4dRow(1, { 4: 2 }), bp4dRow(0, {}), "3,1,0"]);
    await folder.writeLines("labels/F099_T1.csv", [bp4dRow(1, {})]);
    await folder.writeLines("labels/codes.csv", [bp4dRow(1, {})]);
    const fields = await problemsOf(
      convertLabels({ protocol: "bp4d", labelDirectory: join(folder.path, "labels"), imageDirectory: folder.path }),
    );
    expect(fields.slice(0, 2)).toEqual(["F001_T1.csv:1:4", "F001_T1.csv:2"]);
    expect(fields.slice(2, -2)).toEqual([4, 6, 7, 10, 12, 14, 15, 17, 23, 24].map((n) => `F001_T1.csv:3:${n}`));
    expect(fields.slice(-2)).toEqual(["F099_T1.csv", "codes.csv"]);
    await expect(readFile(join(folder.path, "dataset.json"))).rejects.toThrow(/ENOENT/);
  });

  it("says which image it looked for", async () => {
    await using folder = await createDataFolder();
    await folder.writeLines("labels/F001_T1.csv", [bp4dRow(1, {})]);
    const options = { labelDirectory: join(folder.path, "labels"), imageDirectory: folder.path } as const;
    await expect(convertLabels({ protocol: "bp4d", ...options })).rejects.toThrow('"2F01_T1/frame_1.jpg"');
  });

  it.each([
    ["bp4d", ["labels"]],
    ["disfa", ["labels"]],
  ] as const)("refuses a folder without labels of %s", async (protocol, fields) => {
    await using folder = await createDataFolder();
    const directories = { labelDirectory: folder.path, imageDirectory: folder.path };
    expect(await problemsOf(convertLabels({ protocol, ...directories }))).toEqual(fields);
  });

  it("refuses DISFA without one of its files, other subjects and other intensities", async () => {
    await using folder = await createDataFolder();
    for (const number of DISFA.actionUnits.slice(1)) {
      await folder.writeLines(`SN001/SN001_au${number}.txt`, [number === 2 ? "1,6" : "1,0"]);
    }
    await folder.writeLines("SN014/SN014_au1.txt", ["1,0"]);
    const directories = { labelDirectory: folder.path, imageDirectory: folder.path };
    expect(await problemsOf(convertLabels({ protocol: "disfa", ...directories }))).toEqual([
      "SN001",
      "SN001/SN001_au2.txt:1",
      "SN014",
    ]);
  });
});
