import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDataFolder, type DataFolder } from "../test-fixtures/data-folder.ts";
import type { Dataset } from "./dataset.ts";
import { filesFromList } from "./dataset-files.ts";
import { type DatasetSource, openDataset } from "./open-dataset.ts";
import { EXPRESSION_PROTOCOLS } from "./protocols/expression-protocol.ts";

let folder: DataFolder;
beforeEach(async () => {
  folder = await createDataFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

const at = (...way: string[]) => join(folder.path, ...way);

/** A small data set of each kind; of RAF-DB's classes one has no image in a part. */
const sets: Readonly<Record<string, () => Promise<{ readonly root: string } & Partial<DatasetSource>>>> = {
  async "a manifest"() {
    await folder.draw("set/images/a.png", "set/images/b.png");
    await folder.write("set/dataset.json", JSON.stringify({ name: "set", actionUnits: [1] }));
    const line = (image: string, subject: string) => ({ image: `images/${image}`, subject, actionUnits: { 1: 2.5 } });
    await folder.writeLines("set/manifest.jsonl", [line("b.png", "s2"), line("a.png", "s1")]);
    await folder.write("set/notes.txt", "not of the data set");
    return { root: at("set") };
  },
  async "a table without a configuration"() {
    await folder.draw("set/a.png");
    await folder.writeLines("set/manifest.csv", ["image,subject,AU01", "a.png,s1,0.5"]);
    return { root: at("set") };
  },
  async "BP4D by its label files"() {
    const [a, b] = ["2F01_T1/1.jpg", "2F02_T1/1.jpg"];
    await folder.draw(`images/${a}`, `images/${b}`);
    await folder.writeLines("labels/one.json", [{ img_path: a, AUs: [1, 999] }]);
    await folder.writeLines("labels/two.json", [{ img_path: b, AUs: [12] }]);
    return { root: at("images"), format: "bp4d", labelFiles: [at("labels", "one.json"), at("labels", "two.json")] };
  },
  async "RAF-DB by its folders"() {
    const classes = EXPRESSION_PROTOCOLS["raf-db"].expressions.map((_, i) => i + 1);
    for (const part of ["train", "test"]) {
      for (const name of classes) {
        await mkdir(at("raf", part, String(name)), { recursive: true });
        if (part === "train" || name !== 3) await folder.draw(`raf/${part}/${name}/${part}_${name}.jpg`);
      }
    }
    return { root: at("raf"), format: "raf-db" };
  },
  async "RAF-DB by its list"() {
    await folder.draw("raf/train_00001_aligned.jpg", "raf/test_0001.jpg", "raf/test_0009.jpg");
    const list = await folder.writeLines("list.txt", ["train_00001.jpg 5", "test_0001.jpg 2"]);
    return { root: at("raf"), format: "raf-db", labelFiles: [list] };
  },
  async "images alone"() {
    await folder.draw("faces/b.png", "faces/more/a.jpg");
    return { root: at("faces"), format: "images" };
  },
};

/** Opens a data set and keeps what its visitor is shown, by paths below the test's folder. */
async function visited({ root, ...source }: { readonly root: string } & Partial<DatasetSource>) {
  const files = new Map<string, Uint8Array>();
  const folders: string[] = [];
  const order: string[] = [];
  const dataset = await openDataset(root, {
    ...source,
    visitor: {
      async labelFile(path, bytes) {
        order.push("label");
        files.set(path, bytes);
      },
      folder: async (path) => void folders.push(path),
      async image(path, bytes) {
        order.push("image");
        files.set(path, bytes);
      },
    },
  });
  return { dataset, files, folders, order };
}

/** Without what depends on the place. */
const moved = (dataset: Dataset, from: string) => ({
  ...dataset,
  directory: relative(from, dataset.directory),
  samples: dataset.samples.map((sample) => ({ ...sample, imagePath: relative(from, sample.imagePath) })),
});

describe.each(Object.keys(sets))("%s", (name) => {
  it("is opened alike from what a visitor was shown of it, written elsewhere", async () => {
    const { root, ...source } = await sets[name]!();
    const { dataset, files, folders, order } = await visited({ root, ...source });
    expect(order).toEqual(order.toSorted().reverse());
    const there = (path: string) => at("elsewhere", relative(folder.path, path));
    for (const path of folders) await mkdir(there(path), { recursive: true });
    for (const [path, bytes] of files) {
      await mkdir(dirname(there(path)), { recursive: true });
      await writeFile(there(path), bytes);
    }
    const labelFiles = (source.labelFiles ?? []).map(there);
    const again = await openDataset(there(root), { ...source, labelFiles });
    expect(moved(again, at("elsewhere"))).toEqual(moved(dataset, folder.path));
    expect(await openDataset(root, source)).toEqual(dataset);
  });

  it("is opened alike by a list of its files, without reading an image", async () => {
    const { root, ...source } = await sets[name]!();
    const { dataset, files, folders } = await visited({ root, ...source });
    const read: string[] = [];
    const listed = filesFromList({
      sizes: new Map([...files].map(([path, bytes]) => [path, bytes.length])),
      folders,
      async read(path) {
        read.push(path);
        return files.get(path)!;
      },
    });
    const { digest } = dataset;
    expect(await openDataset(root, { ...source, files: listed, knownDigest: digest })).toEqual(dataset);
    expect(read.filter((path) => dataset.samples.some(({ imagePath }) => imagePath === path))).toEqual([]);
    expect((await openDataset(root, { ...source, files: listed })).digest).toBe(digest);
  });

  it("is always shown in the same order", async () => {
    const set = await sets[name]!();
    const [first, second] = [await visited(set), await visited(set)];
    expect([...second.files.keys()]).toEqual([...first.files.keys()]);
    expect(second.folders).toEqual(first.folders);
  });
});

it("of a data set with problems nothing is shown past the first of them", async () => {
  await folder.draw("set/a.png");
  await folder.write("set/dataset.json", JSON.stringify({ name: "set", actionUnits: [1] }));
  const lines = (unit: number) => [
    { image: "a.png", actionUnits: { [unit]: 2.5 } },
    { image: "none.png", actionUnits: {} },
  ];
  const shown: string[] = [];
  const show = async (path: string) => void shown.push(relative(at("set"), path));
  const visitor = { labelFile: show, folder: show, image: show };
  await folder.writeLines("set/manifest.jsonl", lines(99));
  await expect(openDataset(at("set"), { visitor })).rejects.toMatchObject({ reason: "INVALID_MANIFEST" });
  expect(shown).toEqual([]);
  await folder.writeLines("set/manifest.jsonl", lines(1));
  await expect(openDataset(at("set"), { visitor })).rejects.toMatchObject({ reason: "INVALID_MANIFEST" });
  expect(shown).toEqual(["dataset.json", "manifest.jsonl"]);
});

it("a list without files is a folder that is not there", async () => {
  const listed = filesFromList({ sizes: new Map(), folders: [], read: async () => new Uint8Array() });
  await expect(openDataset("/nowhere", { format: "images", files: listed })).rejects.toThrow("found none");
});
