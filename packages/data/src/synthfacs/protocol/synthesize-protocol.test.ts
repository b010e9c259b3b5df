import { readdir } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDataFolder, type DataFolder } from "../../../test-fixtures/data-folder.ts";
import type { Dataset } from "../../dataset.ts";
import { openDataset } from "../../open-dataset.ts";
import { ACTION_UNIT_PROTOCOLS, type ActionUnitProtocolName } from "../../protocols/action-unit-protocol.ts";
import { convertLabels } from "../../protocols/convert-labels.ts";
import { splitByFold } from "../../split.ts";
import { synthesizeDataset } from "../synthesize-dataset.ts";

const options = { seed: 4, framesPerSubject: 9, imageSize: 32, identityShortcut: 0.3 };

const sets = [
  { protocol: "bp4d", subjects: 4, first: "2F01_T1/frame_1.jpg", last: "2F04_T8/frame_1.jpg", tables: "AU_OCC" },
  { protocol: "bp4d+", subjects: 5, first: "F074_T1/frame_1.jpg", last: "F072_T8/frame_2.jpg", tables: "AU_OCC" },
  {
    protocol: "disfa",
    subjects: 4,
    first: "RightVideoSN001/frame_1.jpg",
    last: "RightVideoSN003/frame_9.jpg",
    tables: "ActionUnit_Labels",
  },
] as const satisfies readonly { readonly protocol: ActionUnitProtocolName; readonly [key: string]: unknown }[];

describe.each(sets)("a synthetic $protocol", ({ protocol, subjects, first, last, tables }) => {
  const published = ACTION_UNIT_PROTOCOLS[protocol];
  let folder: DataFolder;
  let directory: string;
  let images: string;
  /** As its own manifest says. */
  let own: Dataset;
  beforeAll(async () => {
    folder = await createDataFolder();
    directory = join(folder.path, "set");
    images = join(directory, "images");
    await synthesizeDataset(directory, { ...options, protocol, subjects });
    own = await openDataset(directory);
  });
  afterAll(() => folder[Symbol.asyncDispose]());

  const labelFiles = () => published.folds.map((_, fold) => join(directory, "labels", `fold_${fold + 1}.json`));
  const byPath = ({ samples }: Dataset) =>
    new Map(samples.map((sample) => [sample.imagePath.slice(images.length + 1), sample]));

  it("is the published data set by its own manifest, with intensities", async () => {
    expect(own).toMatchObject({ protocol, actionUnits: published.actionUnits, subjects: published.subjects });
    expect(own.folds).toEqual(published.folds);
    expect(own.samples).toHaveLength(9 * subjects);
    expect(new Set(own.samples.map(({ subject }) => subject)).size).toBe(subjects);
    const paths = [...byPath(own).keys()];
    expect([paths[0], paths.at(-1)]).toEqual([first, last]);
    const { format, width, height } = await sharp(own.samples[0]!.imagePath).metadata();
    expect({ format, width, height }).toEqual({ format: "jpeg", width: 32, height: 32 });
  });

  it("is read by the published label files, a file a fold", async () => {
    const dataset = await openDataset(images, { format: protocol, labelFiles: labelFiles() });
    expect(dataset).toMatchObject({ protocol, subjects: published.subjects, folds: published.folds });
    expect(dataset.samples).toHaveLength(own.samples.length);
    const drawn = byPath(own);
    for (const [path, { occurrence, subject }] of byPath(dataset)) {
      expect({ path, subject, occurrence }).toEqual({
        path,
        subject: drawn.get(path)!.subject,
        occurrence: drawn.get(path)!.occurrence,
      });
    }
    for (const [index, file] of labelFiles().entries()) {
      const part = await openDataset(images, { format: protocol, labelFiles: [file] });
      const { test } = splitByFold(dataset, { fold: index + 1 });
      expect(part.samples.map(({ imagePath }) => imagePath)).toEqual(
        Array.from(test, (sample) => dataset.samples[sample]!.imagePath),
      );
      expect(part.samples.length).toBeGreaterThan(0);
    }
  });

  it("is converted from its original tables", async () => {
    const labelDirectory = join(directory, tables);
    const conversion = await convertLabels({ protocol, labelDirectory, imageDirectory: images });
    expect(conversion).toEqual({ frames: own.samples.length, framesWithoutImage: 0, subjects });
    const dataset = await openDataset(images);
    expect(dataset).toMatchObject({ protocol, subjects: published.subjects, folds: published.folds });
    const drawn = byPath(own);
    for (const [path, { occurrence, intensity }] of byPath(dataset)) {
      expect({ path, occurrence }).toEqual({ path, occurrence: drawn.get(path)!.occurrence });
      if (protocol !== "disfa") continue;
      expect([...intensity]).toEqual([...drawn.get(path)!.intensity].map(Math.round));
    }
  });

  it("says nothing else in its folder", async () => {
    expect((await readdir(directory)).sort()).toEqual(
      ["dataset.json", "images", "labels", "manifest.jsonl", tables].sort(),
    );
  });
});

it.each([
  ["bp4d", 2, 42, "3 to 41"],
  ["bp4d+", 3, 141, "4 to 140"],
  ["disfa", 2, 28, "3 to 27"],
] as const)(
  "%s is refused with a fold that is empty, and with more subjects than published",
  async (protocol, few, many, range) => {
    await using folder = await createDataFolder();
    for (const subjects of [few, many]) {
      const refused = synthesizeDataset(join(folder.path, "set"), { ...options, protocol, subjects });
      await expect(refused).rejects.toThrow(`Expected ${range} subjects for ${protocol}, got ${subjects}`);
    }
    expect(await readdir(folder.path)).toEqual([]);
  },
);
