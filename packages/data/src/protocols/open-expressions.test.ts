import { describe, expect, it } from "vitest";
import { createDataFolder, problemsOf } from "../../test-fixtures/data-folder.ts";
import { openDataset } from "../open-dataset.ts";
import { splitByPartition } from "../split.ts";
import { EXPRESSION_PROTOCOLS } from "./expression-protocol.ts";

const RAF_NUMBERS = ["1", "2", "3", "4", "5", "6", "7"];
const RAF_NAMES = ["Surprise", "Fear", "Disgust", "Happy", "Sad", "Angry", "Neutral"];

describe("RAF-DB", () => {
  it.each([
    ["numbered", RAF_NUMBERS],
    ["named", RAF_NAMES],
  ])("has the same indices from %s folders", async (_, classes) => {
    await using folder = await createDataFolder();
    await folder.draw(...classes.map((each) => `train/${each}/a.jpg`), ...classes.map((each) => `test/${each}/b.jpg`));
    const dataset = await openDataset(folder.path, { format: "raf-db" });
    expect(dataset).toMatchObject({ protocol: "raf-db", subjects: [], actionUnits: [] });
    expect(dataset.expressions).toEqual(EXPRESSION_PROTOCOLS["raf-db"].expressions);
    const found = dataset.samples.map(({ imagePath, expression, partition }) => [
      partition,
      classes.indexOf(imagePath.split("/").at(-2)!) === expression,
    ]);
    expect(found).toEqual([...Array(7).fill(["train", true]), ...Array(7).fill(["test", true])]);
    const { train, test } = splitByPartition(dataset);
    expect([train.length, test.length]).toEqual([7, 7]);
  });

  it("is read from its own list, aligned images before others", async () => {
    await using folder = await createDataFolder();
    await folder.draw("Image/train_00001_aligned.jpg", "Image/train_00001.jpg", "Image/test_0001.jpg");
    const list = await folder.writeLines("list_patition_label.txt", ["train_00001.jpg 5", "test_0001.jpg 7", ""]);
    const dataset = await openDataset(`${folder.path}/Image`, { format: "raf-db", labelFiles: [list] });
    expect(
      dataset.samples.map(({ imagePath, expression, partition }) => [
        imagePath.split("/").at(-1),
        dataset.expressions![expression],
        partition,
      ]),
    ).toEqual([
      ["train_00001_aligned.jpg", "sadness", "train"],
      ["test_0001.jpg", "neutral", "test"],
    ]);
  });

  it("tells the lines of a bad list", async () => {
    await using folder = await createDataFolder();
    await folder.draw("train_1.jpg");
    const list = await folder.writeLines("list.txt", ["train_1.jpg 8", "other.jpg 1", "test_2.jpg 1", "train_1.jpg 1"]);
    const problems = await problemsOf(folder.path, { format: "raf-db", labelFiles: [list] });
    expect(Object.keys(problems)).toEqual(["list.txt:1", "list.txt:2", "list.txt:4:image", "list.txt:3:image"]);
  });
});

describe("AffectNet-8", () => {
  const classes = ["0", "1", "2", "3", "4", "5", "6", "7"];
  it("tests on its validation part", async () => {
    await using folder = await createDataFolder();
    await folder.draw(...classes.flatMap((each) => [`train/${each}/a.jpg`, `val/${each}/a.jpg`]));
    const dataset = await openDataset(folder.path, { format: "affectnet-8" });
    expect(dataset.expressions?.[dataset.samples[7]!.expression]).toBe("contempt");
    expect(dataset.samples.filter(({ partition }) => partition === "test")).toHaveLength(8);
  });

  it("refuses other classes, missing ones, two folders of one class, and two test parts", async () => {
    await using folder = await createDataFolder();
    await folder.draw(...classes.slice(0, 7).map((each) => `train/${each}/a.jpg`));
    await folder.draw("train/8/a.jpg", "train/happiness/b.jpg", "val/0/a.jpg", "test/0/a.jpg");
    const problems = await problemsOf(folder.path, { format: "affectnet-8" });
    expect(problems["train/8"]).toContain("Expected a class of affectnet-8: 0..7 or neutral");
    expect(problems["train/happiness"]).toContain('"1" is the same class');
    expect(problems.train).toBe("Expected a folder of class contempt, found none");
    expect(problems.directory).toContain('found "test" and "val"');
  });

  it("takes no label file", async () => {
    await using folder = await createDataFolder();
    expect(await problemsOf(folder.path, { format: "affectnet-8", labelFiles: ["/x"] })).toHaveProperty("label_files");
  });
});
