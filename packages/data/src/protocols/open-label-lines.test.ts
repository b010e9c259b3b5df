import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createDataFolder, problemsOf } from "../../test-fixtures/data-folder.ts";
import { openDataset } from "../open-dataset.ts";
import { splitByFold } from "../split.ts";
import { ACTION_UNIT_PROTOCOLS, type ActionUnitProtocol } from "./action-unit-protocol.ts";

const protocols: readonly [string, ActionUnitProtocol][] = Object.entries(ACTION_UNIT_PROTOCOLS);

describe.each(protocols)("%s", (_, { subjects, folds, actionUnits }) => {
  it("has folds that are an exact partition of its subjects", () => {
    expect(new Set(subjects).size).toBe(subjects.length);
    expect(folds.flat().sort()).toEqual([...subjects].sort());
  });
  it("has each action unit once, ascending", () => {
    expect([...new Set(actionUnits)].sort((a, b) => a - b)).toEqual(actionUnits);
  });
});

it("the published sizes", () => {
  const sizes = protocols.map(([name, { actionUnits, subjects, folds }]) => [
    name,
    actionUnits.length,
    subjects.length,
    folds.map(({ length }) => length),
  ]);
  expect(sizes).toEqual([
    ["bp4d", 12, 41, [14, 14, 13]],
    ["bp4d+", 12, 140, [35, 35, 35, 35]],
    ["disfa", 8, 27, [9, 9, 9]],
  ]);
});

describe("identity index order", () => {
  const index = (name: keyof typeof ACTION_UNIT_PROTOCOLS, subject: string) =>
    ACTION_UNIT_PROTOCOLS[name].subjects.indexOf(subject);
  it("of BP4D is women, then men", () => {
    expect([index("bp4d", "F01"), index("bp4d", "F23"), index("bp4d", "M01"), index("bp4d", "M18")]).toEqual([
      0, 22, 23, 40,
    ]);
  });
  it("of BP4D+ is an order of its own", () => {
    expect([index("bp4d+", "F015"), index("bp4d+", "M005"), index("bp4d+", "F039")]).toEqual([0, 1, 139]);
  });
  it("of DISFA follows the folds", () => {
    expect([index("disfa", "SN001"), index("disfa", "SN006"), index("disfa", "SN003")]).toEqual([0, 9, 18]);
  });
});

describe("subjectFromPath", () => {
  it.each([
    ["bp4d", "2F15_T8/frame_1.jpg", "F15"],
    ["bp4d", "2M18_T1/frame_9.jpg", "M18"],
    ["bp4d", "F015_T8/frame_1.jpg", "F15"],
    ["bp4d", "./2F15_T8/frame_1.jpg", undefined],
    ["bp4d", "2F24_T1/frame_1.jpg", undefined],
    ["bp4d+", "F015_T1/frame_1.jpg", "F015"],
    ["bp4d+", "2F15_T8/frame_1.jpg", undefined],
    ["bp4d+", "F010.jpg", "F010"],
    ["disfa", "RightVideoSN001/frame_1.jpg", "SN001"],
    ["disfa", "SN032/1.jpg", "SN032"],
    ["disfa", "frames/SN032/1.jpg", undefined],
    ["disfa", "RightVideoSN014/frame_1.jpg", undefined],
  ] as const)("%s %s", (name, path, subject) => {
    expect(ACTION_UNIT_PROTOCOLS[name].subjectFromPath(path)).toBe(subject);
  });
});

/** A BP4D folder of six frames, two of each fold. */
async function bp4d(lines?: readonly unknown[]) {
  const folder = await createDataFolder();
  const paths = ["2F01_T1", "2M14_T8", "2F03_T1", "2M18_T2", "2F04_T1", "2M15_T3"].map((each) => `${each}/frame_1.jpg`);
  await folder.draw(...paths.map((path) => `images/${path}`));
  const dense = paths.map((img_path, i) => ({ img_path, AUs: i === 0 ? [1, 999, 999, 6] : Array(12).fill(999) }));
  const labels = await folder.writeLines("labels.json", lines ?? dense);
  return {
    folder,
    images: join(folder.path, "images"),
    options: { format: "bp4d", labelFiles: [labels] } as const,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

describe("label files", () => {
  it("are read with the published vocabulary, folds and order of action units", async () => {
    await using set = await bp4d();
    const dataset = await openDataset(set.images, set.options);
    expect(dataset).toMatchObject({ protocol: "bp4d", actionUnits: [1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24] });
    expect(dataset.subjects).toHaveLength(41);
    expect(dataset.samples.map(({ subject, subjectIndex }) => [subject, subjectIndex])).toEqual([
      ["F01", 0],
      ["M14", 36],
      ["F03", 2],
      ["M18", 40],
      ["F04", 3],
      ["M15", 37],
    ]);
    const { train, test } = splitByFold(dataset, { fold: 2 });
    expect([[...train], [...test]]).toEqual([
      [0, 1, 4, 5],
      [2, 3],
    ]);
  });

  it("say 999 or nothing for a negative, in any order, with repetitions and other keys", async () => {
    const row = (frame: string, AUs: unknown) => ({ img_path: `${frame}/frame_1.jpg`, AUs, other: [1] });
    await using set = await bp4d([
      row("2F01_T1", [999, 24, 4.0, 4]),
      row("2M14_T8", [4, 24]),
      row("2F03_T1", []),
      "",
      '{"img_path": "2M18_T2/frame_1.jpg", "AUs": [4.0, 999.0]}',
    ]);
    const { samples } = await openDataset(set.images, set.options);
    const occurring = samples.map(({ occurrence }) => [...occurrence.entries()].filter(([, label]) => label === 1));
    expect(occurring.map((each) => each.map(([unit]) => unit))).toEqual([[2, 11], [2, 11], [], [2]]);
    expect(samples.every(({ occurrence }) => occurrence.every((label) => label === 0 || label === 1))).toBe(true);
    expect(samples.every(({ intensity }) => intensity.every(Number.isNaN))).toBe(true);
  });

  it("tell every problem with file and line", async () => {
    await using set = await bp4d([
      { img_path: "2F01_T1/frame_1.jpg", AUs: ["4"] },
      { img_path: "2F01_T1/frame_1.jpg", AUs: [5, 1] },
      { img_path: "2F99_T1/frame_1.jpg", AUs: [] },
      { img_path: "2F03_T1/../../../x.jpg", AUs: [] },
      { img_path: "2F03_T1/frame_1.jpg" },
      { img_path: "2F03_T1/frame_7.jpg", AUs: [] },
      { img_path: "2M14_T8/frame_1.jpg", AUs: [true] },
      { img_path: "2M14_T8/frame_1.jpg", AUs: [1] },
      { img_path: "2M14_T8/frame_1.jpg", AUs: [1] },
      "no json",
    ]);
    const problems = await problemsOf(set.images, set.options);
    expect(Object.keys(problems).sort()).toEqual(
      [
        "labels.json:10",
        "labels.json:1:AUs.0",
        "labels.json:2:AUs.0",
        "labels.json:3:img_path",
        "labels.json:4:img_path",
        "labels.json:5:AUs",
        "labels.json:6:img_path",
        "labels.json:7:AUs.0",
        "labels.json:9:img_path",
      ].sort(),
    );
    expect(problems["labels.json:2:AUs.0"]).toBe("Expected AU 1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24 or 999, got 5");
    expect(problems["labels.json:9:img_path"]).toContain("already stands in labels.json:8");
  });

  it("may be several, each frame in one of them", async () => {
    await using set = await bp4d();
    const files = await Promise.all(
      ["2F01_T1", "2F03_T1"].map((frame, i) =>
        set.folder.writeLines(`fold${i}.json`, [{ img_path: `${frame}/frame_1.jpg`, AUs: [1] }]),
      ),
    );
    const dataset = await openDataset(set.images, { format: "bp4d", labelFiles: files });
    expect(dataset.samples.map(({ subject }) => subject)).toEqual(["F01", "F03"]);
    const twice = await problemsOf(set.images, { format: "bp4d", labelFiles: [files[0]!, files[0]!] });
    expect(twice).toHaveProperty(["fold0.json:1:img_path"]);
  });

  it("are needed, and must be there", async () => {
    await using set = await bp4d();
    expect(await problemsOf(set.images, { format: "bp4d" })).toEqual({
      label_files: "Expected the label files of bp4d, got none",
    });
    const gone = join(set.folder.path, "gone.json");
    expect((await problemsOf(set.images, { format: "bp4d", labelFiles: [gone] })).label_files).toContain(gone);
  });

  it("of DISFA are of the right camera", async () => {
    await using folder = await createDataFolder();
    await folder.draw("LeftVideoSN001/frame_1.jpg");
    const labels = await folder.writeLines("labels.json", [{ img_path: "LeftVideoSN001/frame_1.jpg", AUs: [] }]);
    const problems = await problemsOf(folder.path, { format: "disfa", labelFiles: [labels] });
    expect(problems["labels.json:1:img_path"]).toContain("Expected frames of the right camera");
  });

  it("count problems that are too many to list", async () => {
    const lines = Array.from({ length: 300 }, (_, i) => ({ img_path: `2F01_T1/gone_${i}.jpg`, AUs: [] }));
    await using set = await bp4d(lines);
    const error = await openDataset(set.images, set.options).catch((thrown) => thrown);
    expect(error.violations).toHaveLength(100);
    expect(error.message).toContain("has 300 problem(s) (300 missing files)");
  });

  it("and images make the digest", async () => {
    await using set = await bp4d();
    const { digest } = await openDataset(set.images, set.options);
    expect((await openDataset(set.images, set.options)).digest).toBe(digest);
    await set.folder.draw("images/2F01_T1/frame_1.jpg");
    expect((await openDataset(set.images, set.options)).digest).not.toBe(digest);
    expect((await openDataset(set.images, { ...set.options, knownDigest: digest })).digest).toBe(digest);
  });
});

it("a folder of images has no labels and no subjects", async () => {
  await using folder = await createDataFolder();
  await folder.draw("b/2.jpg", "a.PNG", "b/.hidden/3.jpg");
  await folder.write("notes.txt", "no image");
  const dataset = await openDataset(folder.path, { format: "images" });
  expect(dataset.samples.map(({ imagePath }) => imagePath)).toEqual(
    ["a.PNG", "b/2.jpg"].map((f) => join(folder.path, f)),
  );
  expect(dataset).toMatchObject({ actionUnits: [], subjects: [] });
  expect(dataset.samples[0]).toMatchObject({ subject: "", subjectIndex: -1, expression: -1 });
  await mkdir(join(folder.path, "empty"));
  expect(await problemsOf(join(folder.path, "empty"), { format: "images" })).toHaveProperty("directory");
  expect(await problemsOf(join(folder.path, "none"), { format: "images" })).toHaveProperty("directory");
});
