import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sha256 } from "../sha256.ts";
import { type ObjectCache, openObjectCache } from "./object-cache.ts";

let directory: string;
let reads: string[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "duchenne-cache-"));
  reads = [];
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const fileOf = (cache: ObjectCache, text: string, digest = sha256(text)) =>
  cache.file(digest, async () => {
    reads.push(text);
    return (async function* () {
      yield Buffer.from(text);
    })();
  });
const lastUsed = (path: string, hoursAgo: number) => {
  const time = new Date(Date.now() - hoursAgo * 3_600_000);
  return utimes(path, time, time);
};

describe("copies of blobs", () => {
  it("are made once, and again when they are gone", async () => {
    const cache = openObjectCache(directory);
    const path = await fileOf(cache, "abc");
    expect(await fileOf(cache, "abc")).toBe(path);
    expect(reads).toEqual(["abc"]);
    await rm(path);
    expect(await readFile(await fileOf(cache, "abc"), "utf8")).toBe("abc");
    expect(reads).toEqual(["abc", "abc"]);
  });

  it("are made again when the disk has changed them", async () => {
    const cache = openObjectCache(directory);
    const path = await fileOf(cache, "abc");
    await writeFile(path, "abd");
    expect(await readFile(await fileOf(cache, "abc"), "utf8")).toBe("abc");
    expect(reads).toEqual(["abc", "abc"]);
  });

  it("make room for others, those that were used longest ago first", async () => {
    const cache = openObjectCache(directory, { maxBytes: 10 });
    const [a, b] = [await fileOf(cache, "aaaa"), await fileOf(cache, "bbbb")];
    await lastUsed(a, 3);
    await lastUsed(b, 2);
    await fileOf(cache, "aaaa");
    const c = await fileOf(cache, "cccc");
    expect([a, b, c].map((path) => existsSync(path))).toEqual([true, false, true]);
  });

  it("that were asked for lately stay, however many they are", async () => {
    const cache = openObjectCache(directory, { maxBytes: 1 });
    const paths = [await fileOf(cache, "aaaa"), await fileOf(cache, "bbbb")];
    for (const path of paths) expect(existsSync(path)).toBe(true);
  });

  it("make room together with rests of downloads, and leave what is not theirs", async () => {
    const cache = openObjectCache(directory, { maxBytes: 4 });
    const [rest, stray] = [join(directory, "downloads", "rest"), join(directory, ".stray")];
    await mkdir(join(directory, "downloads"));
    for (const path of [rest, stray]) {
      await writeFile(path, "rest");
      await lastUsed(path, 2);
    }
    await fileOf(cache, "aaaa");
    expect([rest, stray].map((path) => existsSync(path))).toEqual([false, true]);
  });

  it("are refused and forgotten when they are of other bytes", async () => {
    const cache = openObjectCache(directory);
    await expect(fileOf(cache, "other", sha256("abc"))).rejects.toMatchObject({ code: "data_loss" });
    expect(await readFile(await fileOf(cache, "abc"), "utf8")).toBe("abc");
  });
});
