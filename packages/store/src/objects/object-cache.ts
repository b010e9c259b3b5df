import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { blobFile, openBlobs, type StoredObject } from "../blobs.ts";
import { storing } from "../disk-full.ts";
import { BlobDamagedError } from "../errors.ts";
import { requireDigest } from "../sha256.ts";

/** Copies of blobs, for what reads files. Several processes may share its folder, which may be emptied while none runs. */
export interface ObjectCache {
  /**
   * A file with a blob's bytes, which were compared with the digest after this was called.
   *
   * @param read the bytes, when there is no copy yet, or the disk has changed it
   * @throws {BlobDamagedError} when they are others @throws {DiskFullError} @throws what `read` throws
   */
  file(digest: string, read: () => Promise<AsyncIterable<Uint8Array>>): Promise<string>;
}

/** How much of a disk is used. */
interface CacheLimits {
  /** What was used longest ago goes when there is more. */
  readonly maxBytes: number;
  /** What was asked for so lately stays nevertheless: somebody may be about to open it. */
  readonly keepMs: number;
}

const LIMITS: CacheLimits = { maxBytes: 20 * 2 ** 30, keepMs: 3_600_000 };

/** Opens a folder of copies; it need not exist. @param changed limits, for tests of them */
export function openObjectCache(directory: string, changed: Partial<CacheLimits> = {}): ObjectCache {
  const { maxBytes, keepMs } = { ...LIMITS, ...changed };
  const copies = openBlobs(directory);
  // Beside the folders of copies, so that rests of downloads count and go as they do.
  const downloads = join(directory, "downloads");

  const evict = async (): Promise<void> => {
    const before = Date.now() - keepMs;
    const files: StoredObject[] = [];
    let total = 0;
    for await (const file of copies.list()) {
      files.push(file);
      total += file.sizeBytes;
    }
    for (const file of files.sort((a, b) => a.timeMs - b.timeMs)) {
      if (total <= maxBytes || file.timeMs > before) return;
      if (await file.removeOlderThan(before)) total -= file.sizeBytes;
    }
  };

  return {
    async file(digest, read) {
      const path = await copies.file(digest).catch((error: unknown) => {
        if (!(error instanceof BlobDamagedError)) throw error;
      });
      if (path !== undefined) {
        const now = new Date();
        // Gone when another process has just made room: then it is read again.
        const isKept = await utimes(path, now, now).then(
          () => true,
          () => false,
        );
        if (isKept) return path;
      }
      const bytes = await read();
      const temporary = join(downloads, randomUUID());
      try {
        await storing("a copy of a blob", async () => {
          await mkdir(downloads, { recursive: true });
          await pipeline(bytes, createWriteStream(temporary));
        });
        const { digest: actual } = await copies.adopt(temporary);
        if (actual !== digest) await copies.remove(actual);
        requireDigest(digest, actual);
      } finally {
        await rm(temporary, { force: true });
      }
      await evict();
      // It was read just now.
      return blobFile(directory, digest);
    },
  };
}
