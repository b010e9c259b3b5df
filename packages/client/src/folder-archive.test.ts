import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fromBufferPromise } from "yauzl";
import { archiveOfFolder } from "./folder-archive.ts";
import type { DatasetArchive } from "./upload-dataset.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "duchenne-archive-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function bytesOf(archive: DatasetArchive, offset = 0): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive.read(offset)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe("a folder as an archive", () => {
  it("is a zip of its files without the hidden ones, with a linked file's bytes", async () => {
    await mkdir(join(folder, "b", ".cache"), { recursive: true });
    await writeFile(join(folder, "b", "two.txt"), "two");
    await writeFile(join(folder, "b", ".cache", "no.txt"), "no");
    await writeFile(join(folder, ".hidden"), "no");
    await writeFile(join(folder, "empty"), "");
    await symlink(join(folder, "b", "two.txt"), join(folder, "a-link.txt"));
    const zip = await fromBufferPromise(await bytesOf(await archiveOfFolder(folder)));
    const found: [string, string][] = [];
    for await (const entry of zip.eachEntry()) {
      const chunks: Buffer[] = [];
      for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
      found.push([entry.fileName, Buffer.concat(chunks).toString()]);
    }
    expect(found).toEqual([
      ["a-link.txt", "two"],
      ["b/two.txt", "two"],
      ["empty", ""],
    ]);
  });

  it("has the same bytes each time, whenever its files were written, and from any offset", async () => {
    for (const name of ["x", "y", "z"]) await writeFile(join(folder, name), name.repeat(100_000));
    const first = await archiveOfFolder(folder);
    const bytes = await bytesOf(first);
    expect(bytes.length).toBe(first.sizeBytes);
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(first.sha256);
    await utimes(join(folder, "y"), new Date(0), new Date(1e12));
    const second = await archiveOfFolder(folder);
    expect(second.sha256).toBe(first.sha256);
    for (const offset of [1, 99_999, 150_000, bytes.length - 1, bytes.length]) {
      expect((await bytesOf(second, offset)).equals(bytes.subarray(offset))).toBe(true);
    }
  });

  it("refuses a folder without files and a link to a folder, and tells when a file is gone or has grown meanwhile", async () => {
    await expect(archiveOfFolder(folder)).rejects.toThrow("found none");
    await mkdir(join(folder, "real"));
    await writeFile(join(folder, "real", "file"), "content");
    const archive = await archiveOfFolder(folder);
    await writeFile(join(folder, "real", "file"), "more content");
    await expect(bytesOf(archive)).rejects.toThrow();
    await rm(join(folder, "real", "file"));
    await expect(bytesOf(archive)).rejects.toThrow("ENOENT");
    await symlink(join(folder, "real"), join(folder, "link"));
    await expect(archiveOfFolder(folder)).rejects.toThrow('"link" is a link to a folder');
  });
});
