import { createHash, randomUUID } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { storing } from "./disk-full.ts";
import { BlobDamagedError } from "./errors.ts";

/** Stored bytes. */
export interface BlobReference {
  /** sha256, in hexadecimal. */
  readonly digest: string;
  readonly sizeBytes: number;
}

/** Bytes on disk, named by their sha256. Safe to use from several processes. */
export interface Blobs {
  /** Stores bytes; when it resolves they survive a power cut. @throws {DiskFullError} and leaves nothing */
  put(bytes: Uint8Array): Promise<BlobReference>;
  /**
   * Takes a file of the same disk over, without reading it into memory; the file is gone from its old place then.
   *
   * @throws {DiskFullError} and leaves the file where it was
   */
  adopt(path: string): Promise<BlobReference>;
  /** Reads bytes back. @throws {BlobDamagedError} when they are missing or changed */
  get(digest: string): Promise<Buffer>;
  /** The file of a blob, for what reads files. @throws {BlobDamagedError} when it is missing */
  path(digest: string): string;
  /** Removes a blob that nothing refers to; a missing one is fine. */
  remove(digest: string): Promise<void>;
}

/** Opens a folder of blobs; it need not exist. */
export function openBlobs(directory: string): Blobs {
  const fileOf = (digest: string): string => {
    if (!/^[0-9a-f]{64}$/.test(digest)) throw new BlobDamagedError(digest, "is not named by a sha256");
    return join(directory, digest.slice(0, 2), digest.slice(2));
  };
  return {
    async put(bytes) {
      const digest = createHash("sha256").update(bytes).digest("hex");
      const file = fileOf(digest);
      if (!existsSync(file)) await storing(`${bytes.length} bytes`, () => writeDurably(file, bytes));
      return { digest, sizeBytes: bytes.length };
    },
    async adopt(path) {
      const { size } = await stat(path);
      const hash = createHash("sha256");
      for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk as Buffer);
      const digest = hash.digest("hex");
      const file = fileOf(digest);
      if (existsSync(file)) await rm(path);
      else await storing(`${size} bytes`, () => moveDurably(path, file));
      return { digest, sizeBytes: size };
    },
    async get(digest) {
      const bytes = await readFile(fileOf(digest)).catch((error: NodeJS.ErrnoException) => {
        throw error.code === "ENOENT" ? new BlobDamagedError(digest, "is missing") : error;
      });
      const actual = createHash("sha256").update(bytes).digest("hex");
      if (actual !== digest) throw new BlobDamagedError(digest, `holds other bytes, of sha256 ${actual}`);
      return bytes;
    },
    path(digest) {
      const file = fileOf(digest);
      if (!existsSync(file)) throw new BlobDamagedError(digest, "is missing");
      return file;
    },
    remove: (digest) => rm(fileOf(digest), { force: true }),
  };
}

/** The checkpoints of jobs: apart from other blobs and from each other, so that a replaced one can be removed at once. */
export interface Checkpoints {
  of(job: string): Blobs;
  /** Removes all of a job that nobody can go on with. */
  removeAll(job: string): Promise<void>;
}

/** Opens a folder of checkpoints; it need not exist. */
export function openCheckpoints(directory: string): Checkpoints {
  return {
    of: (job) => openBlobs(join(directory, job)),
    removeAll: (job) => rm(join(directory, job), { recursive: true, force: true }),
  };
}

/** The file appears whole or not at all, and stays. */
async function writeDurably(file: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.${randomUUID()}`;
  try {
    await writeFile(temporary, bytes, { flag: "wx" });
    await moveDurably(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Moves a file and stays with it: neither its bytes nor its name are lost in a power cut. */
async function moveDurably(from: string, file: string): Promise<void> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true });
  await syncToDisk(from, "r+");
  await rename(from, file);
  await syncToDisk(folder, "r");
}

async function syncToDisk(path: string, flags: string): Promise<void> {
  const handle = await open(path, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
