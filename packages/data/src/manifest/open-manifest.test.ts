import { describe, expect, it } from "vitest";
import { createDataFolder, type DataFolder, problemsOf } from "../../test-fixtures/data-folder.ts";
import type { ManifestError } from "../manifest-error.ts";
import { openDataset } from "../open-dataset.ts";

const configure = (folder: DataFolder, configuration: object) =>
  folder.write("dataset.json", JSON.stringify({ name: "own", ...configuration }));

describe("manifest.jsonl", () => {
  it("keeps null, 9 and 999 as unknown", async () => {
    await using folder = await createDataFolder();
    await folder.draw("a.png");
    await configure(folder, { actionUnits: [1, 2, 4, 12], labels: "occurrence" });
    const line = { image: "a.png", subject: "s", actionUnits: { 1: 1, 2: null, 4: 9, 12: 999 } };
    await folder.writeLines("manifest.jsonl", [line]);
    const [sample] = (await openDataset(folder.path)).samples;
    expect([...sample!.occurrence]).toEqual([1, -1, -1, -1]);
    expect(sample!.intensity.every(Number.isNaN)).toBe(true);
  });

  it("refuses 0 and 1 that nobody said are occurrences", async () => {
    await using folder = await createDataFolder();
    await folder.draw("a.png");
    await configure(folder, { actionUnits: [1, 12] });
    await folder.writeLines("manifest.jsonl", [{ image: "a.png", subject: "s", actionUnits: { 1: 1, 12: 0 } }]);
    expect((await problemsOf(folder.path))["manifest.jsonl"]).toContain('state "labels": "occurrence"');
    await configure(folder, { actionUnits: [1, 12], labels: "intensity" });
    expect([...(await openDataset(folder.path)).samples[0]!.occurrence]).toEqual([0, 0]);
  });

  it("has expressions, parts and folds", async () => {
    await using folder = await createDataFolder();
    await folder.draw("a.png", "b.png", "c.png");
    await configure(folder, { expressions: ["anger", "joy"] });
    await folder.writeLines("manifest.jsonl", [
      { image: "a.png", subject: "s2", expression: "joy", partition: "train", fold: 2 },
      { image: "b.png", subject: "s1", expression: null, partition: "test", fold: 1 },
      { image: "c.png", subject: "s2", partition: "train", fold: 2 },
    ]);
    const dataset = await openDataset(folder.path);
    expect(dataset).toMatchObject({ expressions: ["anger", "joy"], folds: [["s1"], ["s2"]], subjects: ["s1", "s2"] });
    expect(dataset.samples.map(({ expression, partition }) => [expression, partition])).toEqual([
      [1, "train"],
      [-1, "test"],
      [-1, "train"],
    ]);
  });

  it("tells what contradicts: subjects in two folds, in none, lines without subject or part, unknown classes", async () => {
    await using folder = await createDataFolder();
    await folder.draw("a.png", "b.png", "c.png", "d.png");
    await configure(folder, { expressions: ["anger", "joy"] });
    await folder.writeLines("manifest.jsonl", [
      { image: "a.png", subject: "s1", fold: 1, partition: "train" },
      { image: "b.png", subject: "s1", fold: 3, partition: "train" },
      { image: "c.png", subject: "s2", expression: "rage" },
      { image: "d.png", partition: "validation" },
      { image: "d.png", partition: "test" },
    ]);
    const problems = await problemsOf(folder.path);
    expect(Object.keys(problems)).toEqual([
      "manifest.jsonl:4:partition",
      "manifest.jsonl:3:partition",
      "manifest.jsonl:3:expression",
      "manifest.jsonl:5:subject",
      "manifest.jsonl:2:fold",
      "manifest.jsonl:3:fold",
      "manifest.jsonl:fold",
    ]);
    expect(problems["manifest.jsonl:2:fold"]).toContain('"s1" is in fold 3 (line 2) and in fold 1 (line 1)');
    expect(problems["manifest.jsonl:3:fold"]).toContain('"s2" stands in none');
    expect(problems["manifest.jsonl:fold"]).toContain("fold 2 has no subject");
  });

  it("tells subjects that are in both parts with a line of each, once a subject", async () => {
    await using folder = await createDataFolder();
    await folder.draw("a.png", "b.png", "c.png", "d.png", "e.png");
    await configure(folder, {});
    await folder.writeLines("manifest.jsonl", [
      { image: "a.png", subject: "s1", partition: "train" },
      { image: "b.png", subject: "s2", partition: "test" },
      "",
      { image: "c.png", subject: "s1", partition: "test" },
      { image: "d.png", subject: "s1", partition: "train" },
      { image: "e.png", subject: "s2", partition: "train" },
    ]);
    expect(await problemsOf(folder.path)).toEqual({
      "manifest.jsonl:4:partition":
        'Expected each subject in one part, "s1" is in the test part (line 4) and in the training part (line 1)',
      "manifest.jsonl:6:partition":
        'Expected each subject in one part, "s2" is in the training part (line 6) and in the test part (line 2)',
    });
    // Whoever splits by frame on purpose says so, and what earlier releases registered is still read.
    expect((await openDataset(folder.path, { mayLeak: true })).samples).toHaveLength(5);
    await configure(folder, { subjectsInBothParts: true });
    expect((await openDataset(folder.path)).samples).toHaveLength(5);
  });

  it("lists 100 problems, says how many there are of each kind, and goes on after those that were listed", async () => {
    await using folder = await createDataFolder();
    await configure(folder, { actionUnits: [1] });
    const image = (i: number) => ({ image: `${i}.png`, subject: "s", actionUnits: { 1: 2 } });
    await folder.writeLines("manifest.jsonl", [
      ...Array.from({ length: 98 }, (_, i) => ({ ...image(i), actionUnits: { 2: 1 } })),
      { ...image(0), partition: "train" },
      { ...image(1), partition: "test" },
      { ...image(98), partition: "train" },
    ]);
    const error = await openDataset(folder.path).catch((thrown: unknown) => thrown);
    const { violations, message, metadata } = error as ManifestError;
    expect(violations).toHaveLength(100);
    // Each of 98 lines has no part and an unknown action unit; then 2 duplicates, a leak and 101 images that are not there.
    expect(message).toContain(
      "has 300 problem(s) (101 missing files, 98 others, 98 unknown action units, 2 duplicates, 1 subjects in two parts or folds)",
    );
    expect(metadata).toEqual({ problems: "300" });
    // The same, a hundred at a time.
    const all = [...violations];
    for (const skipProblems of [100, 200]) {
      const next = await openDataset(folder.path, { skipProblems }).catch((thrown: unknown) => thrown);
      all.push(...(next as ManifestError).violations);
    }
    expect(all).toHaveLength(300);
    expect(all.filter(({ description }) => description.startsWith("No file"))).toHaveLength(101);
    await expect(openDataset(folder.path, { skipProblems: 300 })).rejects.toMatchObject({ violations: [] });
  });

  it("can be a published data set, with its vocabulary and folds", async () => {
    await using folder = await createDataFolder();
    await folder.draw("a.png");
    await configure(folder, { protocol: "disfa" });
    await folder.writeLines("manifest.jsonl", [{ image: "a.png", subject: "SN006", actionUnits: { 25: 2, 26: 1 } }]);
    const dataset = await openDataset(folder.path);
    expect(dataset).toMatchObject({ protocol: "disfa", actionUnits: [1, 2, 4, 6, 9, 12, 25, 26] });
    expect(dataset.folds).toHaveLength(3);
    expect(dataset.samples[0]!.subjectIndex).toBe(9);
    expect([...dataset.samples[0]!.occurrence]).toEqual([-1, -1, -1, -1, -1, -1, 1, 0]);
    await configure(folder, { protocol: "disfa", actionUnits: [25] });
    expect(await problemsOf(folder.path)).toHaveProperty(["dataset.json:actionUnits"]);
  });

  it("keeps the vocabulary of dataset.json and refuses others", async () => {
    await using folder = await createDataFolder();
    await folder.draw("a.png");
    const line = (subject: string) => ({ image: "a.png", subject, actionUnits: { 1: 2 } });
    await configure(folder, { actionUnits: [1], subjects: ["z", "a"], folds: [["a"], ["z"]] });
    await folder.writeLines("manifest.jsonl", [line("a")]);
    expect(await openDataset(folder.path)).toMatchObject({ subjects: ["z", "a"], samples: [{ subjectIndex: 1 }] });
    await folder.writeLines("manifest.jsonl", [line("b")]);
    expect(await problemsOf(folder.path)).toHaveProperty(["manifest.jsonl:1:subject"]);
    await configure(folder, { actionUnits: [1], folds: [["a", "b"], ["b"]] });
    expect((await problemsOf(folder.path))["dataset.json:folds"]).toContain("b");
  });
});

describe("manifest.csv", () => {
  it("needs no dataset.json", async () => {
    await using folder = await createDataFolder();
    await folder.draw("a,b.png", "c.png");
    await folder.writeLines("manifest.csv", [
      "image,subject,AU01,au_12,expression,fold,box_left,box_top,box_width,box_height",
      '"a,b.png",s1,3,,joy,1,1,2,3,4',
      "c.png,s2,0,9,anger,2,,,,",
    ]);
    const dataset = await openDataset(folder.path);
    expect(dataset).toMatchObject({
      actionUnits: [1, 12],
      expressions: ["anger", "joy"],
      folds: [["s1"], ["s2"]],
    });
    expect(dataset.samples.map(({ occurrence, expression, box }) => [[...occurrence], expression, box])).toEqual([
      [[1, -1], 1, { left: 1, top: 2, width: 3, height: 4 }],
      [[0, -1], 0, undefined],
    ]);
  });

  it("reads the same as JSON lines", async () => {
    await using table = await createDataFolder();
    await using lines = await createDataFolder();
    for (const folder of [table, lines]) {
      await folder.draw("a.png");
      await configure(folder, { actionUnits: [12, 1] });
    }
    await table.writeLines("manifest.csv", ["AU1,image,subject,AU12", "0.5,a.png,s,2"]);
    await lines.writeLines("manifest.jsonl", [{ image: "a.png", subject: "s", actionUnits: { 1: 0.5, 12: 2 } }]);
    const [a, b] = await Promise.all([table, lines].map(async ({ path }) => (await openDataset(path)).samples[0]!));
    expect({ ...a, imagePath: "" }).toEqual({ ...b, imagePath: "" });
  });

  it("tells every problem with its line", async () => {
    await using folder = await createDataFolder();
    await folder.draw("a.png");
    await folder.writeLines("manifest.csv", [
      "image,subject,AU1,fold",
      "a.png,s,x,1",
      "b.png,s,7,1",
      "c.png,s,1",
      "a.png,,1,one",
      "d.png,s,1,1",
    ]);
    const problems = await problemsOf(folder.path);
    expect(Object.keys(problems).sort()).toEqual([
      "manifest.csv:2:actionUnits.1",
      "manifest.csv:3:actionUnits.1",
      "manifest.csv:3:image",
      "manifest.csv:4",
      "manifest.csv:5:fold",
      "manifest.csv:6:image",
    ]);
  });

  it("tells subjects in both parts or two folds by lines, as JSON lines do", async () => {
    await using folder = await createDataFolder();
    await folder.draw("a.png", "b.png");
    await folder.writeLines("manifest.csv", [
      "image,subject,AU1,partition,fold",
      "a.png,s,3,train,1",
      "b.png,s,3,test,2",
    ]);
    expect(await problemsOf(folder.path)).toEqual({
      "manifest.csv:3:partition":
        'Expected each subject in one part, "s" is in the test part (line 3) and in the training part (line 2)',
      "manifest.csv:3:fold": 'Expected each subject in one fold, "s" is in fold 2 (line 3) and in fold 1 (line 2)',
    });
  });

  it("refuses columns it does not know, twice or without images", async () => {
    await using folder = await createDataFolder();
    await folder.writeLines("manifest.csv", ["path,subject,AU1,au_01", "a.png,s,1,1"]);
    expect(Object.keys(await problemsOf(folder.path))).toEqual([
      "manifest.csv:1:path",
      "manifest.csv:1:au_01",
      "manifest.csv:1",
    ]);
  });

  it("does not stand beside manifest.jsonl", async () => {
    await using folder = await createDataFolder();
    await folder.write("manifest.csv", "image");
    await folder.write("manifest.jsonl", "");
    await configure(folder, { actionUnits: [1] });
    expect((await problemsOf(folder.path))["manifest.csv"]).toContain("Expected one manifest");
  });
});
