import type { Selectable, Transaction } from "kysely";
import { z } from "zod";
import type { Blobs } from "./blobs.ts";
import { type Database, databaseTimeMs, type Executor } from "./database.ts";
import {
  AlreadyExistsError,
  BlobDamagedError,
  DatasetInUseError,
  DatasetReplacedError,
  NotFoundError,
} from "./errors.ts";
import type { KeptFolder } from "./folders/keep-folder.ts";
import { lockGarbage } from "./garbage-rules.ts";
import type { JsonObject } from "./json.ts";
import { type PageRequest, pageOf, placeFromPageToken } from "./page.ts";
import { lockRunning, type RunningAttempt } from "./running-attempt.ts";
import type { Tables } from "./schema.ts";

/** A registered data set. */
export interface DatasetRecord {
  readonly id: string;
  /** Its folder, on the machine that registered it. */
  readonly directory: string;
  /** What it holds, as its reader described it. */
  readonly description: JsonObject;
  /** The sha256 of what it holds: data sets of equal ones are the same. */
  readonly digest?: string;
  /** The product wrote its folder, for it alone; else it is somebody's, and stays whatever becomes of the data set. */
  readonly managed: boolean;
  /** The digest of the folder that was kept of its files; absent where only those who see its folder have it. */
  readonly files?: string;
  readonly createTimeMs: number;
}

/** A data set to register. */
export interface NewDataset {
  readonly id: string;
  readonly directory: string;
  readonly description: JsonObject;
  readonly digest?: string;
  readonly managed?: boolean;
  /** Called last, while no folder of a deleted data set is removed: throws when its folder has gone. */
  readonly confirm?: () => Promise<void>;
  /** What was kept of its files: no garbage from now on. */
  readonly files?: KeptFolder | undefined;
  /** The running attempt that drew it: registering it again is fine, also for a later attempt of the same job. */
  readonly job?: RunningAttempt;
}

/** A data set that a job reads. */
export interface DatasetRead {
  readonly id: string;
  /** As the job was planned on it: another one is refused. */
  readonly digest?: string | undefined;
}

/** Registered data sets. */
export interface Datasets {
  /**
   * @throws {AlreadyExistsError} @throws {FencedError} @throws {BlobDamagedError} when a blob of its files is not stored
   * @throws what `confirm` throws
   */
  register(dataset: NewDataset): Promise<DatasetRecord>;
  /** @throws {NotFoundError} */
  get(id: string): Promise<DatasetRecord>;
  /** True when the id is taken. */
  has(id: string): Promise<boolean>;
  /** By id. @throws {InvalidPageTokenError} */
  list(page: PageRequest): Promise<{ readonly datasets: readonly DatasetRecord[]; readonly nextPageToken: string }>;
  /**
   * Deletes a data set; its id is free then. What was kept of its files goes with the next collection of garbage when no other
   * data set has it.
   *
   * @throws {NotFoundError}
   * @throws {DatasetInUseError} when a job that has not ended reads it, or is about to end that drew it
   */
  delete(id: string): Promise<void>;
  /** The folders of deleted data sets that were managed, whether or not they are still there or are in use again. */
  deletedFolders(): Promise<readonly string[]>;
  /** Runs work while nothing can be registered, with all that is: a folder that it finds unused stays so until it has ended. */
  whileNoneIsRegistered<T>(work: (registered: readonly DatasetRecord[]) => Promise<T>): Promise<T>;
}

/** Blobs that are looked for at once. */
const AT_ONCE = 32;
/** Databases take so many values in one statement. */
const ROWS_AT_ONCE = 1000;

/** The row of a data set, locked. @throws {NotFoundError} */
async function lockDataset(database: Database, tx: Transaction<Tables>, id: string) {
  const row = await database.forUpdate(tx.selectFrom("datasets").selectAll().where("id", "=", id)).executeTakeFirst();
  if (row === undefined) throw new NotFoundError("dataset", `datasets/${id}`);
  return row;
}

/** Keeps a data set from being deleted until the transaction ends. @throws {NotFoundError} @throws {DatasetReplacedError} */
export async function lockReadDataset(database: Database, tx: Transaction<Tables>, read: DatasetRead): Promise<void> {
  const { digest } = await lockDataset(database, tx, read.id);
  if (read.digest === undefined || read.digest === digest) return;
  throw new DatasetReplacedError(`datasets/${read.id}`, read.digest, digest ?? "none");
}

/** The jobs that a data set is needed by: a family by its parent, which tries its children again. */
async function jobsThatNeed(tx: Transaction<Tables>, { id, job }: Selectable<Tables["datasets"]>): Promise<string[]> {
  const readers = await tx
    .selectFrom("job_datasets")
    .innerJoin("jobs", "jobs.id", "job_datasets.job")
    .leftJoin("jobs as parents", (join) =>
      join.onRef("parents.id", "=", "jobs.parent").on("parents.end_time", "is", null),
    )
    .select(["jobs.id", "parents.id as parent"])
    .where("dataset", "=", id)
    .where(({ or, eb }) => or([eb("jobs.end_time", "is", null), eb("parents.id", "is not", null)]))
    .orderBy("jobs.create_time")
    .orderBy("jobs.id")
    .execute();
  // An attempt that registered it and has not told so yet may be followed by one that registers it again.
  const drawing = await tx
    .selectFrom("jobs")
    .select("id")
    .where("id", "=", job ?? "")
    .where("end_time", "is", null)
    .execute();
  return [...new Set([...readers.map((reader) => reader.parent ?? reader.id), ...drawing.map((each) => each.id)])];
}

/** Keeps the registration of data sets and the removal of folders apart, until the transaction ends. */
const lockFolders = (database: Database, tx: Transaction<Tables>): Promise<void> =>
  database.lock(tx, "dataset folders");

/** Data sets in a database. */
export function createDatasets(database: Database, blobs: Pick<Blobs, "has">): Datasets {
  const { kysely: db } = database;
  const find = (tx: Executor, id: string) =>
    tx.selectFrom("datasets").selectAll().where("id", "=", id).executeTakeFirst();
  const requireAll = async (digests: readonly string[]): Promise<void> => {
    for (const batch of batchesOf(digests, AT_ONCE)) {
      const found = await Promise.all(batch.map((digest) => blobs.has(digest)));
      const missing = batch[found.indexOf(false)];
      if (missing !== undefined) throw new BlobDamagedError(missing, "is missing");
    }
  };
  return {
    async register({ id, directory, description, digest, managed = false, confirm, files, job }) {
      return database.transaction(async (tx) => {
        if (job !== undefined) await lockRunning(database, tx, job);
        await database.lock(tx, `dataset ${id}`);
        const taken = await find(tx, id);
        if (taken !== undefined) {
          if (job !== undefined && taken.job === job.id) return datasetFromRow(taken);
          throw new AlreadyExistsError("DATASET_EXISTS", `There already is a data set "${id}"`);
        }
        if (files !== undefined) {
          await lockGarbage(database, tx);
          await requireAll(files.blobs);
        }
        await lockFolders(database, tx);
        await confirm?.();
        const row = {
          id,
          directory,
          description: JSON.stringify(description),
          create_time: await databaseTimeMs(database, tx),
          job: job?.id ?? null,
          files: files?.digest ?? null,
          digest: digest ?? null,
          managed: managed ? 1 : 0,
        };
        await tx.insertInto("datasets").values(row).execute();
        for (const batch of batchesOf(files?.blobs ?? [], ROWS_AT_ONCE)) {
          await tx
            .insertInto("dataset_blobs")
            .values(batch.map((digest) => ({ dataset: id, digest })))
            .execute();
        }
        return datasetFromRow(row);
      });
    },

    async get(id) {
      const row = await find(db, id);
      if (row === undefined) throw new NotFoundError("dataset", `datasets/${id}`);
      return datasetFromRow(row);
    },

    has: async (id) => (await find(db, id)) !== undefined,

    async list({ pageSize, pageToken: token }) {
      const place = placeFromPageToken(token, z.strictObject({ id: z.string() }));
      let query = db.selectFrom("datasets").selectAll().orderBy("id");
      if (place !== undefined) query = query.where("id", ">", place.id);
      const read = await query.limit(pageSize + 1).execute();
      const { rows, nextPageToken } = pageOf(read, pageSize, ({ id }) => ({ id }));
      return { datasets: rows.map(datasetFromRow), nextPageToken };
    },

    delete: (id) =>
      database.transaction(async (tx) => {
        const row = await lockDataset(database, tx, id);
        const jobs = await jobsThatNeed(tx, row);
        if (jobs.length > 0) {
          throw new DatasetInUseError(
            `datasets/${id}`,
            jobs.map((job) => `jobs/${job}`),
          );
        }
        await tx.deleteFrom("dataset_blobs").where("dataset", "=", id).execute();
        await tx.deleteFrom("datasets").where("id", "=", id).execute();
        if (row.managed === 0) return;
        const folder = { directory: row.directory, delete_time: await databaseTimeMs(database, tx) };
        await tx
          .insertInto("deleted_folders")
          .values(folder)
          .onConflict((conflict) => conflict.column("directory").doUpdateSet(folder))
          .execute();
      }),

    async deletedFolders() {
      const rows = await db.selectFrom("deleted_folders").select("directory").orderBy("directory").execute();
      return rows.map(({ directory }) => directory);
    },

    whileNoneIsRegistered: (work) =>
      database.transaction(async (tx) => {
        await lockFolders(database, tx);
        return work((await tx.selectFrom("datasets").selectAll().orderBy("id").execute()).map(datasetFromRow));
      }),
  };
}

function datasetFromRow(row: Selectable<Tables["datasets"]>): DatasetRecord {
  return {
    id: row.id,
    directory: row.directory,
    description: JSON.parse(row.description),
    managed: row.managed !== 0,
    createTimeMs: row.create_time,
    ...(row.digest !== null && { digest: row.digest }),
    ...(row.files !== null && { files: row.files }),
  };
}

function* batchesOf<T>(list: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < list.length; from += size) yield list.slice(from, from + size);
}
