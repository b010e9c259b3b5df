import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createDataFolder } from "../../test-fixtures/data-folder.ts";
import { compareWays, resultWay } from "./source-way.ts";
import { type SourceFile, walkSources } from "./walk-sources.ts";

async function filesOf(directory: string): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for await (const file of walkSources(directory)) files.push(file);
  return files;
}

describe("the files below a folder", () => {
  it("come in one order, which is that of their ways; hidden ones do not", async () => {
    await using folder = await createDataFolder();
    const files = ["b.jpg", "a/z.png", "a/b/c.webp", "a.JPG", "a-b.jpeg", "clip.MP4", "a/notes.txt", "B.png", "ä.jpg"];
    for (const file of [...files, ".hidden.jpg", ".git/a.jpg", "a/.cache/b.jpg"]) await folder.write(file, "x");
    const found = await filesOf(folder.path);
    const ways = found.map(({ way }) => way);
    expect(ways).toEqual([
      "B.png",
      "a/b/c.webp",
      "a/notes.txt",
      "a/z.png",
      "a-b.jpeg",
      "a.JPG",
      "b.jpg",
      "clip.MP4",
      "ä.jpg",
    ]);
    expect(ways.toSorted(compareWays)).toEqual(ways);
    expect(Object.fromEntries(found.map(({ way, kind }) => [way, kind]))).toMatchObject({
      "a.JPG": "image",
      "a/b/c.webp": "image",
      "clip.MP4": "video",
      "a/notes.txt": "other",
    });
  });

  it("do not lead out of it: links are told and not followed", async () => {
    await using outside = await createDataFolder();
    await outside.draw("secret.jpg");
    await using folder = await createDataFolder();
    await folder.draw("a.jpg");
    await symlink(outside.path, join(folder.path, "folder"));
    await symlink(join(outside.path, "secret.jpg"), join(folder.path, "link.jpg"));
    expect(await filesOf(folder.path)).toEqual([
      { way: "a.jpg", kind: "image" },
      { way: "folder", kind: "other", problem: "Expected a file, got a link, which is not followed" },
      { way: "link.jpg", kind: "other", problem: "Expected a file, got a link, which is not followed" },
    ]);
  });

  it("have names in UTF-8: under another one the system would not find them", async () => {
    await using folder = await createDataFolder();
    await writeFile(Buffer.concat([Buffer.from(`${folder.path}/`), Buffer.from([0xe9]), Buffer.from(".jpg")]), "x");
    expect(await filesOf(folder.path)).toEqual([
      { way: "\uFFFD.jpg", kind: "other", problem: "Expected a name in UTF-8" },
    ]);
  });

  it("of no folder are an error", async () => {
    await expect(filesOf("/nowhere/at/all")).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("the image of a source", () => {
  it("is named after it, and never as another's", () => {
    expect(resultWay("a/b.png")).toBe("images/a/b.png.jpg");
    expect(resultWay("clip.mp4", 30)).toBe("images/clip.mp4/00000030.jpg");
    const long = `${"x".repeat(251)}.jpg`;
    const sources = ["a.png", "a.jpg", "a.jpeg", "a.png.jpg", "A.png", "a/a.png", long, `${"x".repeat(250)}y.jpg`];
    expect(new Set(sources.map((source) => resultWay(source))).size).toBe(sources.length);
  });

  it("has a name that file systems take, however long the source's is", () => {
    const [long, deep] = [`a/${"ä".repeat(125)}.jpg`, `${"folder/".repeat(400)}a.jpg`];
    for (const source of [long, deep]) {
      expect(resultWay(source)).toMatch(/^images\/long-names\/[0-9a-f]{64}\.jpg$/);
      expect(resultWay(source, 3)).toMatch(/^images\/long-names\/[0-9a-f]{64}\/00000003\.jpg$/);
    }
    expect(resultWay(`${"x".repeat(247)}.jpg`)).toBe(`images/${"x".repeat(247)}.jpg.jpg`);
  });
});
