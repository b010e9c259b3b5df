import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DiskFullError, storing } from "../disk-full.ts";
import { BlobDamagedError, FolderCopyInUseError } from "../errors.ts";
import { type FileLock, tryLock } from "./file-lock.ts";
import { type FolderIndex, folderSize, type Pack, type PackedFile } from "./folder-index.ts";

/** A folder's copy on this machine. It stays for as long as the process does, unless it is given up. */
export interface FolderCopy {
  readonly path: string;
  /** Lets it go when room is needed. */
  release(): void;
  /** Removes it, because its files are not those of the folder. @throws {FolderCopyInUseError} when others read it */
  discard(): Promise<void>;
}

/** How a copy is waited for. */
export interface CopyOptions {
  /** Ends the making of it, which then goes on where it was. */
  readonly signal?: AbortSignal | undefined;
  /** Called when there is no copy yet and one is made, or its making goes on. */
  readonly onStart?: ((size: { readonly files: number; readonly sizeBytes: number }) => void) | undefined;
}

/** Copies of folders on this machine's disk. Any number of processes may share their place. */
export interface FolderCopies {
  open(digest: string, options?: CopyOptions): Promise<FolderCopy>;
}

/** What copies are made from, and how much of the disk they may take. */
interface FolderCopiesOptions {
  readonly readIndex: (digest: string) => Promise<FolderIndex>;
  /** A blob's bytes, checked. */
  readonly get: (digest: string) => Promise<Buffer>;
  /** Copies that nobody uses go when there is more, those that were used longest ago first. */
  readonly maxBytes: number;
}

const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 1_000;
/** Files that are written at once. */
const AT_ONCE = 16;

/**
 * Opens a place for copies; it need not exist. Each copy is named by its digest and its size, and appears whole. Whoever makes
 * or removes one has its lock alone, whoever reads it shares the lock: both end with their process.
 */
export function openFolderCopies(directory: string, { readIndex, get, maxBytes }: FolderCopiesOptions): FolderCopies {
  const copies = join(directory, "copies");
  const partial = join(directory, "partial");
  const locks = join(directory, "locks");
  const trash = join(directory, "trash");

  const lock = (digest: string, mode: Parameters<typeof tryLock>[1]) => tryLock(join(locks, digest), mode);

  const find = async (digest: string): Promise<string | undefined> =>
    (await entriesOf(copies)).find((name) => name.startsWith(`${digest}-`));

  /** Moved away first: what is removed in part must not look like a copy. */
  const dispose = async (path: string): Promise<void> => {
    await mkdir(trash, { recursive: true });
    const away = join(trash, randomUUID());
    await rename(path, away).catch(ignoreMissing);
    await rm(away, { recursive: true, force: true });
  };

  /** Removes copies, whole and begun, that nobody uses, until there is room for so many bytes more or none is left. */
  const makeRoom = async (neededBytes: number, except: string): Promise<void> => {
    // Of processes that were killed. Another one may be at it as well.
    for (const name of await entriesOf(trash))
      await rm(join(trash, name), { recursive: true, force: true }).catch(() => {});
    const all = [...(await copiesIn(copies)), ...(await copiesIn(partial))].filter(({ digest }) => digest !== except);
    let total = all.reduce((sum, { sizeBytes }) => sum + sizeBytes, neededBytes);
    for (const { path, digest, sizeBytes } of all.sort((a, b) => a.timeMs - b.timeMs)) {
      if (total <= maxBytes) return;
      const alone = lock(digest, "exclusive");
      if (alone === undefined) continue;
      try {
        await dispose(path);
        total -= sizeBytes;
      } finally {
        alone.release();
      }
    }
  };

  /** Makes a copy, or goes on with it. Who calls has its lock alone. */
  const make = async (digest: string, { signal, onStart }: CopyOptions): Promise<void> => {
    const index = await readIndex(digest);
    const sizeBytes = folderSize(index);
    onStart?.({ files: index.packs.reduce((sum, { files }) => sum + files.length, 0), sizeBytes });
    await makeRoom(sizeBytes, digest);
    const name = `${digest}-${sizeBytes}`;
    const begun = join(partial, name);
    const content = join(begun, "content");
    const done = join(begun, "done");
    // Marks of what is done, without it: a copy was finished here, and has gone since.
    if (!existsSync(content)) await rm(begun, { recursive: true, force: true });
    try {
      await storing("a copy of a data set's files", async () => {
        for (const path of [content, done, copies]) await mkdir(path, { recursive: true });
        for (const path of index.folders) await mkdir(join(content, path), { recursive: true });
        const missing = [...index.packs.entries()].filter(([i]) => !existsSync(join(done, String(i))));
        const fetch = (place: number): Promise<Buffer> | undefined => {
          const [i, pack] = missing[place] ?? [];
          const fetching = pack && getPack(pack, `${i! + 1} of ${index.packs.length}`);
          // Told by whoever waits for it.
          fetching?.catch(() => {});
          return fetching;
        };
        let ahead = fetch(0);
        for (const [place, [i, { files }]] of missing.entries()) {
          const bytes = await ahead!;
          signal?.throwIfAborted();
          // The next one comes while this one is written.
          ahead = fetch(place + 1);
          await unpack(bytes, files, content);
          await writeFile(join(done, String(i)), "", { flush: true });
        }
        await rename(content, join(copies, name));
      });
    } catch (error) {
      // Others need the room more than the next attempt needs what was fetched.
      if (error instanceof DiskFullError) await dispose(begun);
      throw error;
    }
    await rm(begun, { recursive: true, force: true });
  };

  const getPack = async ({ digest, sizeBytes, files }: Pack, which: string): Promise<Buffer> => {
    try {
      const bytes = await get(digest);
      if (bytes.length === sizeBytes) return bytes;
      throw new BlobDamagedError(digest, `has ${bytes.length} bytes and not ${sizeBytes}`);
    } catch (error) {
      if (!(error instanceof BlobDamagedError)) throw error;
      const [first, last] = [files[0]?.path, files.at(-1)?.path];
      const where = `it is part ${which} of a folder, with ${first} to ${last}`;
      throw new BlobDamagedError(digest, `${error.problem}; ${where}`);
    }
  };

  const opened = async (digest: string, name: string, shared: FileLock): Promise<FolderCopy> => {
    const path = join(copies, name);
    const now = new Date();
    await utimes(path, now, now);
    return {
      path,
      release: () => shared.release(),
      async discard() {
        shared.release();
        const alone = lock(digest, "exclusive");
        if (alone === undefined) throw new FolderCopyInUseError(path);
        try {
          await dispose(path);
        } finally {
          alone.release();
        }
      },
    };
  };

  return {
    async open(digest, options = {}) {
      const { signal } = options;
      await mkdir(locks, { recursive: true });
      for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
        signal?.throwIfAborted();
        const shared = lock(digest, "shared");
        if (shared !== undefined) {
          const name = await find(digest);
          if (name !== undefined) return opened(digest, name, shared);
          shared.release();
          const alone = lock(digest, "exclusive");
          if (alone !== undefined) {
            try {
              // Another one may have made it between the two locks.
              if ((await find(digest)) === undefined) await make(digest, options);
            } finally {
              alone.release();
            }
            continue;
          }
        }
        await sleep(waitMs, undefined, { signal }).catch(() => {});
      }
    },
  };
}

/** Writes the files of a pack; when it resolves they survive a power cut. What is there of them is replaced. */
async function unpack(bytes: Buffer, files: readonly PackedFile[], folder: string): Promise<void> {
  for (const path of new Set(files.map((file) => dirname(join(folder, file.path))))) {
    await mkdir(path, { recursive: true });
  }
  let offset = 0;
  for (let from = 0; from < files.length; from += AT_ONCE) {
    const writing = files.slice(from, from + AT_ONCE).map(({ path, sizeBytes }) => {
      const content = bytes.subarray(offset, offset + sizeBytes);
      offset += sizeBytes;
      return writeFile(join(folder, path), content, { flush: true });
    });
    await Promise.all(writing);
  }
}

async function copiesIn(directory: string) {
  const found: { path: string; digest: string; sizeBytes: number; timeMs: number }[] = [];
  for (const name of await entriesOf(directory)) {
    const [, digest, size] = /^([0-9a-f]{64})-([0-9]+)$/.exec(name) ?? [];
    const path = join(directory, name);
    const stats = await stat(path).catch(ignoreMissing);
    if (digest === undefined || stats === undefined) continue;
    found.push({ path, digest, sizeBytes: Number(size), timeMs: stats.mtimeMs });
  }
  return found;
}

const entriesOf = async (directory: string): Promise<readonly string[]> =>
  (await readdir(directory).catch(ignoreMissing)) ?? [];

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
