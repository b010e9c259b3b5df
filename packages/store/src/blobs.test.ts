import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { blobFile, openBlobs } from "./blobs.ts";
import { sha256 } from "./sha256.ts";

it("a blob that the disk cannot read is damaged, and whole again when it is stored again", async () => {
  const directory = await mkdtemp(join(tmpdir(), "duchenne-blobs-"));
  try {
    const blobs = openBlobs(directory);
    const digest = sha256("");
    const path = blobFile(directory, digest);
    await mkdir(dirname(path));
    // A file without a size whose bytes the system cannot read: address 0 of this process.
    await symlink("/proc/self/mem", path);
    for (const read of [blobs.get, blobs.file]) {
      await expect(read(digest)).rejects.toMatchObject({
        reason: "BLOB_DAMAGED",
        problem: expect.stringContaining("EIO"),
      });
    }
    await blobs.put(Buffer.alloc(0));
    expect(await blobs.get(digest)).toHaveLength(0);
    expect(await blobs.file(digest)).toBe(path);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
