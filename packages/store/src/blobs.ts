import { existsSync } from "node:fs";
import { readdir, readFile, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { storing } from "./disk-full.ts";
import { moveDurably, writeDurably } from "./durable-files.ts";
import { BlobDamagedError } from "./errors.ts";
import type { Undisturbed } from "./garbage-rules.ts";
import { requireDigest, sha256, sha256OfFile } from "./sha256.ts";

/** Stored bytes. */
export interface BlobReference {
  /** sha256, in hexadecimal. */
  readonly digest: string;
  readonly sizeBytes: number;
}

/** Something that lies in a store of blobs. */
export interface StoredObject {
  /** Its sha256; undefined for the rest of a write that was never finished. */
  readonly digest: string | undefined;
  readonly sizeBytes: number;
  /** When it was last stored, in milliseconds since the epoch. */
  readonly timeMs: number;
  /**
   * Removes it when it was last stored before a time, by what is true now; answers whether it did.
   *
   * @param signal how long it may take
   */
  removeOlderThan(timeMs: number, signal?: AbortSignal): Promise<boolean>;
}

/** Bytes named by their sha256. Safe to use from several processes. */
export interface Blobs {
  /**
   * Stores bytes; when it resolves they survive a power cut. Bytes that are there already count as stored now; what is torn
   * there is replaced, and so is what has changed and kept its size: on a disk always, for it is read; in a bucket when
   * somebody has read it and found it changed.
   *
   * @throws {DiskFullError} and leaves nothing
   */
  put(bytes: Uint8Array): Promise<BlobReference>;
  /**
   * Takes a file of the same disk over, without reading it into memory; the file is gone from its old place then.
   *
   * @throws {DiskFullError} and leaves the file where it was
   */
  adopt(path: string): Promise<BlobReference>;
  /** Reads bytes back. @throws {BlobDamagedError} when they are missing or changed */
  get(digest: string): Promise<Buffer>;
  /**
   * A file with the bytes, for what reads files. It must not be changed. All of it was read and compared with the digest after
   * this was called, about a second for a gigabyte, each time: a disk that changes bytes leaves the times of a file as they
   * were. What changes between the answer and the reading is not noticed. A changed copy of a bucket's blob is made again.
   *
   * @throws {BlobDamagedError} when they are missing or changed
   */
  file(digest: string): Promise<string>;
  /** True when a blob is there. */
  has(digest: string): Promise<boolean>;
  /** Removes a blob that nothing refers to; a missing one is fine. */
  remove(digest: string): Promise<void>;
  /** Everything there is, in no order. What is stored or removed meanwhile may be missing. */
  list(): AsyncIterable<StoredObject>;
}

/**
 * Opens a folder of blobs; it need not exist.
 *
 * @param undisturbed what keeps others from collecting them as garbage; by default nobody does
 */
export function openBlobs(directory: string, undisturbed: Undisturbed = (work) => work()): Blobs {
  const fileOf = (digest: string): string => blobFile(directory, digest);
  const whole = async (digest: string): Promise<string> => {
    const file = fileOf(digest);
    requireDigest(digest, await fromDisk(digest, () => sha256OfFile(file)));
    return file;
  };
  const isWhole = async ({ digest, sizeBytes }: BlobReference): Promise<boolean> => {
    try {
      const { size } = await fromDisk(digest, () => stat(fileOf(digest)));
      // Another length cannot be the same bytes, and is told without reading.
      if (size !== sizeBytes) return false;
      await whole(digest);
      return true;
    } catch (error) {
      if (error instanceof BlobDamagedError) return false;
      throw error;
    }
  };
  /**
   * Makes what is there as young as new; false when it is not there, or not whole. A collection that saw its old age may have
   * just removed it.
   */
  const renew = async (blob: BlobReference): Promise<boolean> => {
    const file = fileOf(blob.digest);
    return (await isWhole(blob)) && (await touch(file)) && undisturbed(async () => existsSync(file));
  };
  return {
    async put(bytes) {
      const blob = { digest: sha256(bytes), sizeBytes: bytes.length };
      if (!(await renew(blob))) {
        await storing(`${bytes.length} bytes`, () => writeDurably(fileOf(blob.digest), bytes));
      }
      return blob;
    },
    async adopt(path) {
      const blob = { digest: await sha256OfFile(path), sizeBytes: (await stat(path)).size };
      if (await renew(blob)) await rm(path);
      else await storing(`${blob.sizeBytes} bytes`, () => moveDurably(path, fileOf(blob.digest)));
      return blob;
    },
    async get(digest) {
      const bytes = await fromDisk(digest, () => readFile(fileOf(digest)));
      requireDigest(digest, sha256(bytes));
      return bytes;
    },
    file: whole,
    has: async (digest) => existsSync(fileOf(digest)),
    remove: (digest) => rm(fileOf(digest), { force: true }),
    async *list() {
      for (const folder of await filesIn(directory)) {
        for (const name of await filesIn(join(directory, folder))) {
          const file = join(directory, folder, name);
          const stats = await stat(file).catch(ignoreMissing);
          if (stats === undefined) continue;
          const digest = /^[0-9a-f]{64}$/.test(folder + name) ? folder + name : undefined;
          yield {
            digest,
            sizeBytes: stats.size,
            timeMs: stats.mtimeMs,
            async removeOlderThan(timeMs) {
              const now = await stat(file).catch(ignoreMissing);
              if (now === undefined || now.mtimeMs > timeMs) return false;
              await rm(file, { force: true });
              return true;
            },
          };
        }
      }
    },
  };
}

/** Where a blob lies in a folder of blobs. 256 folders keep each of them small. @throws {BlobDamagedError} */
export function blobFile(directory: string, digest: string): string {
  return join(directory, checkDigest(digest).slice(0, 2), digest.slice(2));
}

/** A digest that is safe as a part of a name. @throws {BlobDamagedError} for anything else */
export function checkDigest(digest: string): string {
  if (!/^[0-9a-f]{64}$/.test(digest)) throw new BlobDamagedError(digest, "is not named by a sha256");
  return digest;
}

/** The checkpoints of jobs: apart from other blobs and from each other, so that a replaced one can be removed at once. */
export interface Checkpoints {
  of(job: string): Blobs;
  /** Removes all of a job that nobody can go on with. */
  removeAll(job: string): Promise<void>;
  /** The jobs that have any. */
  jobs(): Promise<readonly string[]>;
}

/** Opens a folder of checkpoints; it need not exist. */
export function openCheckpoints(directory: string, undisturbed: Undisturbed): Checkpoints {
  return {
    of: (job) => openBlobs(join(directory, job), undisturbed),
    removeAll: (job) => rm(join(directory, job), { recursive: true, force: true }),
    jobs: () => filesIn(directory),
  };
}

/** Also none of what is no folder: others leave files in places that are not theirs. */
const filesIn = async (directory: string): Promise<readonly string[]> =>
  readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw error;
  });

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}

/** Reads something of a blob. @throws {BlobDamagedError} when the disk does not have it any more */
async function fromDisk<T>(digest: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new BlobDamagedError(digest, "is missing");
    // A broken sector, or a file system that keeps sums of its own and has found another.
    if (code === "EIO") throw new BlobDamagedError(digest, "cannot be read from the disk (EIO)");
    throw error;
  }
}

/** Makes a file as young as a new one; false when there is none. */
async function touch(file: string): Promise<boolean> {
  const now = new Date();
  try {
    await utimes(file, now, now);
    return true;
  } catch (error) {
    return ignoreMissing(error as NodeJS.ErrnoException) ?? false;
  }
}
