import { describe, expect, it } from "vitest";
import { createDataFolder, type DataFolder, problemsOf } from "../../test-fixtures/data-folder.ts";
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
      "manifest.jsonl:fold",
    ]);
    expect(problems["manifest.jsonl:fold"]).toContain('"s2" stands in none');
  });

  it("says its licence, or none", async () => {
    await using folder = await createDataFolder();
    await folder.draw("a.png");
    await folder.writeLines("manifest.jsonl", [{ image: "a.png" }]);
    await configure(folder, {});
    expect(await openDataset(folder.path)).not.toHaveProperty("license");
    await configure(folder, { license: "CC-BY-4.0" });
    expect(await openDataset(folder.path)).toMatchObject({ license: "CC-BY-4.0" });
    await configure(folder, { license: "" });
    expect(await problemsOf(folder.path)).toHaveProperty(["dataset.json:license"]);
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
