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
   * Stores bytes; when it resolves they survive a power cut. Bytes that are there already count as stored now; what is
   * torn there is replaced.
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
  /** A file with the bytes, for what reads files. It must not be changed. @throws {BlobDamagedError} when they are missing */
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
  // 256 folders keep each of them small.
  const fileOf = (digest: string): string => join(directory, checkDigest(digest).slice(0, 2), digest.slice(2));
  /**
   * Makes what is there as young as new; false when it is not there, or torn: another length cannot be the same bytes. A
   * collection that saw its old age may have just removed it.
   */
  const renew = async (file: string, sizeBytes: number): Promise<boolean> =>
    (await touch(file, sizeBytes)) && undisturbed(async () => existsSync(file));
  return {
    async put(bytes) {
      const digest = sha256(bytes);
      const file = fileOf(digest);
      if (!(await renew(file, bytes.length))) await storing(`${bytes.length} bytes`, () => writeDurably(file, bytes));
      return { digest, sizeBytes: bytes.length };
    },
    async adopt(path) {
      const { size } = await stat(path);
      const digest = await sha256OfFile(path);
      const file = fileOf(digest);
      if (await renew(file, size)) await rm(path);
      else await storing(`${size} bytes`, () => moveDurably(path, file));
      return { digest, sizeBytes: size };
    },
    async get(digest) {
      const bytes = await readFile(fileOf(digest)).catch((error: NodeJS.ErrnoException) => {
        throw error.code === "ENOENT" ? new BlobDamagedError(digest, "is missing") : error;
      });
      requireDigest(digest, sha256(bytes));
      return bytes;
    },
    async file(digest) {
      const file = fileOf(digest);
      if (!existsSync(file)) throw new BlobDamagedError(digest, "is missing");
      return file;
    },
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

/** Makes a file as young as a new one; false when there is none of this size. */
async function touch(file: string, sizeBytes: number): Promise<boolean> {
  const now = new Date();
  try {
    if ((await stat(file)).size !== sizeBytes) return false;
    await utimes(file, now, now);
    return true;
  } catch (error) {
    return ignoreMissing(error as NodeJS.ErrnoException) ?? false;
  }
}
