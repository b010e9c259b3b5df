import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openBlobs } from "./blobs.ts";
import { DiskFullError, storing } from "./disk-full.ts";
import { createModels } from "./models.ts";
import { openSqlite } from "./sqlite/open-sqlite.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "duchenne-disk-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** All files below a folder. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

describe("a full disk", () => {
  it("is told by its own error, whatever the system calls it", async () => {
    for (const code of ["ENOSPC", "EDQUOT", "EFBIG"]) {
      const failing = storing("an upload", () => Promise.reject(Object.assign(new Error("write"), { code })));
      await expect(failing).rejects.toMatchObject({
        code: "resource_exhausted",
        reason: "DISK_FULL",
        message: expect.stringContaining(`No room on the server's disk for an upload (${code})`),
      });
    }
    const other = Object.assign(new Error("denied"), { code: "EACCES" });
    await expect(storing("an upload", () => Promise.reject(other))).rejects.toBe(other);
  });

  it("leaves neither a blob nor half of one, and what was stored before", async () => {
    const blobs = openBlobs(join(directory, "blobs"));
    const { digest } = await blobs.put(Buffer.from("stored before"));
    // A process that may write files of 8 KiB.
    const program = `
      import { openBlobs } from ${JSON.stringify(new URL("./blobs.ts", import.meta.url).href)};
      const blobs = openBlobs(${JSON.stringify(join(directory, "blobs"))});
      const fits = await blobs.put(Buffer.alloc(5_000, 1));
      const { code, reason, message } = await blobs.put(Buffer.alloc(50_000, 2)).catch((error) => error);
      console.log(JSON.stringify({ fits: fits.digest, code, reason, message }));`;
    const { stdout, stderr } = spawnSync(
      "bash",
      ["-c", 'ulimit -f 8 && exec "$0" "$@"', process.execPath, "--input-type=module", "-e", program],
      { encoding: "utf8" },
    );
    expect(stderr).toBe("");
    const { fits, ...failure } = JSON.parse(stdout);
    expect(failure).toMatchObject({ code: "resource_exhausted", reason: "DISK_FULL" });
    expect(failure.message).toContain("for 50000 bytes (EFBIG)");
    expect((await filesIn(directory)).sort()).toEqual([digest, fits].map((name) => name.slice(2)).sort());
    expect((await blobs.get(digest)).toString()).toBe("stored before");
    expect((await blobs.put(Buffer.alloc(50_000, 2))).sizeBytes).toBe(50_000);
  });

  it("leaves a file that is to be taken over where it was", async () => {
    const [upload, folder] = [join(directory, "upload"), join(directory, "blobs")];
    await writeFile(upload, "abc");
    await mkdir(folder);
    // The folder of the blob (the sha256 of "abc" begins with ba) cannot be made, which is noticed when the file is about to move.
    await symlink(join(directory, "nowhere", "at-all"), join(folder, "ba"));
    await expect(openBlobs(folder).adopt(upload)).rejects.toMatchObject({ syscall: "mkdir" });
    expect(await readFile(upload, "utf8")).toBe("abc");
    await rm(join(folder, "ba"));
    expect(await openBlobs(folder).adopt(upload)).toMatchObject({ sizeBytes: 3 });
    expect(existsSync(upload)).toBe(false);
  });

  it("undoes the whole transaction, and the database goes on when there is room", async () => {
    const database = await openSqlite(join(directory, "duchenne.sqlite"));
    const { kysely, close } = database;
    const models = createModels(database, openBlobs(join(directory, "blobs")));
    const version = (text: string) => ({ model: "m", card: { text }, artifacts: [] });
    await models.createVersion(version("before"));
    const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(kysely);
    await sql.raw(`pragma max_page_count = ${rows[0]!.page_count + 2}`).execute(kysely);
    const failing = models.createVersion(version("x".repeat(100_000)));
    await expect(failing).rejects.toBeInstanceOf(DiskFullError);
    await expect(failing).rejects.toThrow("No room on the server's disk for the database (SQLITE_FULL)");
    const page = { pageSize: 10, pageToken: "" };
    expect((await models.listVersions("m", page)).versions.map(({ card }) => card)).toEqual([{ text: "before" }]);
    await sql.raw("pragma max_page_count = 1000000").execute(kysely);
    expect((await models.createVersion(version("y".repeat(100_000)))).version).toBe("2");
    await close();
  });
});
