import { mkdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Logger } from "@duchenne/rpc";
import {
  AlreadyExistsError,
  type DatasetRecord,
  NotFoundError,
  type Store,
  sha256OfFile,
  storing,
} from "@duchenne/store";
import { registerFolder, requireFreeDatasetId } from "../register-folder.ts";
import { removeUnusedFolder } from "../remove-unused-folder.ts";
import { datasetUploadName } from "../resource-name.ts";
import { UploadMismatchError, UploadTooLargeError } from "../weights/receive-upload.ts";
import { collectDeletedUploads } from "./deleted-uploads.ts";
import { createTurns } from "./turns.ts";
import { unpackArchive } from "./unpack-archive.ts";
import {
  TooManyUploadsError,
  UploadIncompleteError,
  UploadOffsetError,
  UploadPlaceTakenError,
  UploadTooLongError,
} from "./upload-errors.ts";
import { syncFolder, type UploadPlan, type UploadState, uploadFolder, uploadIds } from "./upload-folder.ts";

/** An upload to which nothing was added for so long is removed. */
export const UPLOAD_MAX_IDLE_MS = 7 * 24 * 3_600_000;
const MAX_UPLOADS = 32;
/** More files than any published data set has. */
const MAX_ENTRIES = 1_000_000;
const HOUR_MS = 3_600_000;
/** What can only be fixed by another archive or another id. */
const FINAL_CODES: readonly unknown[] = ["invalid_argument", "already_exists"];

/** What uploads need. */
export interface DatasetUploadsOptions {
  readonly store: Store;
  readonly logger: Logger;
  /** On the same disk as `imports`. */
  readonly dataDirectory: string;
  /** Where the folders of finished uploads go: a folder that data sets may be registered from. */
  readonly imports: string;
  readonly maxDatasetBytes: number;
}

/** Archives that become data sets. They lie on this server's disk; each is named by its data set's id. */
export interface DatasetUploads {
  /**
   * Begins an upload, or answers the one that was begun with the same plan.
   *
   * @throws {AlreadyExistsError} @throws {UploadTooLargeError} @throws {TooManyUploadsError} @throws {DiskFullError}
   */
  begin(id: string, plan: UploadPlan): Promise<UploadState>;
  /** @throws {NotFoundError} */
  get(id: string): Promise<UploadState>;
  /** @throws {NotFoundError} @throws {UploadOffsetError} @throws {UploadTooLongError} @throws {DiskFullError} */
  write(id: string, offset: bigint, chunk: Uint8Array): Promise<UploadState>;
  /**
   * Makes the data set. Calls while it is being made, and those after, answer the same.
   *
   * @throws {NotFoundError} @throws {UploadIncompleteError} @throws {UploadMismatchError} @throws {ArchiveError}
   * @throws {ManifestError} @throws {AlreadyExistsError} @throws {UploadPlaceTakenError} @throws {DiskFullError}
   */
  finish(id: string): Promise<DatasetRecord>;
  /** @throws {NotFoundError} */
  delete(id: string): Promise<void>;
  /** Stops what is being finished; it can be finished by the next server. */
  close(): Promise<void>;
}

/** Opens the uploads of a data folder. Expired ones and those of deleted data sets are removed now and every hour. */
export function createDatasetUploads(options: DatasetUploadsOptions): DatasetUploads {
  const { store, logger, dataDirectory, imports, maxDatasetBytes } = options;
  const directory = join(dataDirectory, "uploads");
  const unpacked = join(imports, "uploaded");
  const folderOf = (id: string) => uploadFolder(directory, id);
  const finishing = new Map<string, Promise<DatasetRecord>>();
  const closing = new AbortController();
  // Any number of trainers may share a data folder, and an archive is unpacked by one of them.
  const turns = createTurns(join(dataDirectory, "upload-locks"), closing.signal);

  const get = async (id: string): Promise<UploadState> => {
    const state = await folderOf(id).read();
    if (state === undefined) throw new NotFoundError("dataset upload", datasetUploadName(id));
    return state;
  };
  /** Where the data set of an upload lies in the end. */
  const placeOf = (id: string, { sha256 }: UploadPlan) => join(unpacked, `${id}-${sha256.slice(0, 16)}`);
  /** The data set of this id, if it was made from an upload. */
  const uploaded = async (id: string, sha256 = ""): Promise<DatasetRecord | undefined> => {
    if (!(await store.datasets.has(id))) return undefined;
    const record = await store.datasets.get(id);
    return record.directory.startsWith(join(unpacked, `${id}-${sha256.slice(0, 16)}`)) ? record : undefined;
  };
  /** Also of what was unpacked, unless a data set is registered on it. */
  const remove = async (id: string, state: UploadState): Promise<void> => {
    await removeUnusedFolder(store, placeOf(id, state.plan));
    await folderOf(id).remove();
  };

  async function makeDataset(id: string): Promise<DatasetRecord> {
    const folder = folderOf(id);
    const state = await folder.read();
    const made = await uploaded(id, state?.plan.sha256);
    if (made !== undefined) {
      // A server was killed between the last two steps, or the answer was lost.
      await folder.remove();
      return made;
    }
    if (state === undefined) throw new NotFoundError("dataset upload", datasetUploadName(id));
    const { plan, committedBytes } = state;
    if (committedBytes < plan.sizeBytes) throw new UploadIncompleteError(committedBytes, plan.sizeBytes);
    await folder.renew();
    const record = await unpackAndRegister(id, plan).catch(async (error: unknown) => {
      await rm(folder.scratch, { recursive: true, force: true });
      const isFinal = error instanceof Error && "code" in error && FINAL_CODES.includes(error.code);
      if (isFinal) await remove(id, state);
      throw error;
    });
    await folder.remove();
    return record;
  }

  async function unpackAndRegister(id: string, plan: UploadPlan): Promise<DatasetRecord> {
    const { archive, scratch } = folderOf(id);
    await requireFreeDatasetId(store, id);
    const sha256 = await sha256OfFile(archive);
    if (sha256 !== plan.sha256) {
      throw new UploadMismatchError("sha256", `Expected an archive of sha256 ${plan.sha256}, got ${sha256}`);
    }
    await rm(scratch, { recursive: true, force: true });
    const limits = { entries: MAX_ENTRIES, bytes: maxDatasetBytes };
    await unpackArchive(archive, scratch, { limits, signal: closing.signal });
    const place = placeOf(id, plan);
    // What is there was left by a killed server, or by a data set of this id that was deleted.
    if (!(await removeUnusedFolder(store, place))) throw new UploadPlaceTakenError(place);
    await moveFolderDurably(scratch, place);
    const source = { format: plan.format, labelFiles: plan.labelFiles.map((file) => join(place, file)) };
    closing.signal.throwIfAborted();
    return registerFolder(store, {
      id,
      directory: join(place, plan.directory),
      source,
      description: plan.description,
      managed: true,
      license: plan.license,
    });
  }

  async function removeExpired(): Promise<void> {
    for (const id of await uploadIds(directory)) {
      await turns.take(id, async () => {
        const state = await folderOf(id).read();
        const timeMs = state?.timeMs ?? (await stat(join(directory, id))).mtimeMs;
        if (Date.now() - timeMs <= UPLOAD_MAX_IDLE_MS) return;
        await (state === undefined ? folderOf(id).remove() : remove(id, state));
        logger.info({ upload: datasetUploadName(id) }, "removed an upload to which nothing was added for long");
      });
    }
  }
  async function removeDeleted(): Promise<void> {
    const folders = await collectDeletedUploads(store, unpacked, {
      signal: closing.signal,
      inTurn: (id, name, work) =>
        turns.take(id, async () => {
          const state = await folderOf(id).read();
          // It may be unpacked there, and not be registered yet.
          const isUploading = state !== undefined && basename(placeOf(id, state.plan)) === name;
          return !isUploading && (await work());
        }),
    });
    if (folders.length > 0) logger.info({ folders }, "removed the folders of deleted data sets");
  }
  const orLog = (work: Promise<void>, message: string): Promise<void> =>
    work.catch((error) => {
      if (!closing.signal.aborted) logger.error({ error }, message);
    });
  const removeAll = async (): Promise<void> => {
    await orLog(removeExpired(), "expired uploads could not be removed");
    await orLog(removeDeleted(), "the folders of deleted data sets could not be removed");
  };
  let removing = removeAll();
  const timer = setInterval(() => {
    removing = removing.then(removeAll);
  }, HOUR_MS);

  return {
    begin: (id, plan) =>
      turns.take(id, async () => {
        if (plan.sizeBytes > maxDatasetBytes) throw new UploadTooLargeError(maxDatasetBytes, BigInt(plan.sizeBytes));
        await requireFreeDatasetId(store, id);
        const begun = await folderOf(id).read();
        if (begun === undefined) {
          if ((await uploadIds(directory)).length >= MAX_UPLOADS) throw new TooManyUploadsError(MAX_UPLOADS);
          await storing("an upload", () => folderOf(id).begin(plan));
        } else if (!isDeepStrictEqual(begun.plan, plan)) {
          const message = `"${id}" is being uploaded from another archive, or with other options; delete that upload first`;
          throw new AlreadyExistsError("UPLOAD_DIFFERS", message);
        }
        return get(id);
      }),
    get,
    write: (id, offset, chunk) =>
      turns.take(id, async () => {
        const { plan, committedBytes } = await get(id);
        if (offset !== BigInt(committedBytes)) throw new UploadOffsetError(committedBytes, offset);
        const end = committedBytes + chunk.length;
        if (end > plan.sizeBytes) throw new UploadTooLongError(plan.sizeBytes, end);
        await storing("an upload", () => folderOf(id).append(chunk, committedBytes));
        return get(id);
      }),
    finish(id) {
      const running = finishing.get(id);
      if (running !== undefined) return running;
      const work = turns.take(id, () => storing("an uploaded data set", () => makeDataset(id)));
      finishing.set(id, work);
      const forget = (): void => void finishing.delete(id);
      work.then(forget, forget);
      return work;
    },
    delete: (id) => turns.take(id, async () => remove(id, await get(id))),
    async close() {
      closing.abort();
      clearInterval(timer);
      await Promise.allSettled([removing, ...finishing.values()]);
    },
  };
}

/** Moves a folder of the same disk; its name is not lost in a power cut. */
async function moveFolderDurably(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await rename(from, to);
  await syncFolder(dirname(to));
}
