import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeOnce } from "./index.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "duchenne-provision-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it("makes a folder once, also when two do it at the same time", async () => {
  const target = join(folder, "deep", "made");
  let made = 0;
  const make = () =>
    makeOnce(target, async ({ ready }) => {
      made++;
      await writeFile(join(ready, "a"), "content");
    });
  await Promise.all([make(), make()]);
  expect(made).toBe(2);
  await make();
  expect(made).toBe(2);
  expect(await readFile(join(target, "a"), "utf8")).toBe("content");
  expect(await readdir(join(folder, "deep"))).toEqual(["made"]);
});

it("leaves nothing behind when making fails", async () => {
  const fails = makeOnce(join(folder, "made"), async ({ ready }) => {
    await writeFile(join(ready, "a"), "half");
    throw new Error("broken");
  });
  await expect(fails).rejects.toThrow("broken");
  expect(await readdir(folder)).toEqual([]);
});
