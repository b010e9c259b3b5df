import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { curatingFolder } from "../drawn-folders.ts";
import { takeOverFolder } from "./take-over-folder.ts";

const job = (attempt: number, id = "5d2b0f1e-7a50-4d0e-9d7c-3f2f6f0a1b2c") => ({ id, attempt });
let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "duchenne-take-over-"));
});
afterEach(() => rm(data, { recursive: true }));

const folders = async () => (await readdir(join(data, "datasets"))).toSorted();

it("an attempt goes on in the folder of the last one before it, under a name of its own", async () => {
  const first = await takeOverFolder(data, "faces", job(1));
  expect(await readdir(first)).toEqual([]);
  await writeFile(join(first, "curation.jsonl"), "first");
  // One that ended before it made a folder.
  const third = await takeOverFolder(data, "faces", job(3));
  expect(third).toBe(curatingFolder(data, "faces", job(3)));
  expect(await readdir(third)).toEqual(["curation.jsonl"]);
  expect(await folders()).toEqual([basename(third)]);
});

it("an attempt that is over takes nothing of a later one, whose successor removes what it has left", async () => {
  const second = await takeOverFolder(data, "faces", job(2));
  await writeFile(join(second, "curation.jsonl"), "second");
  const late = await takeOverFolder(data, "faces", job(1));
  expect(await readdir(late)).toEqual([]);
  expect(await readdir(second)).toEqual(["curation.jsonl"]);
  const third = await takeOverFolder(data, "faces", job(3));
  expect(await readdir(third)).toEqual(["curation.jsonl"]);
  expect(await folders()).toEqual([basename(third)]);
});

it("leaves the folders of other jobs and of other kinds alone", async () => {
  const other = await takeOverFolder(data, "faces", job(1, "0d2b0f1e-7a50-4d0e-9d7c-3f2f6f0a1b2c"));
  await mkdir(join(data, "datasets", `.faces-${job(1).id}-1.partial`));
  const own = await takeOverFolder(data, "faces", job(2));
  expect(await readdir(own)).toEqual([]);
  expect(await folders()).toEqual([basename(other), basename(own), `.faces-${job(1).id}-1.partial`].toSorted());
});
