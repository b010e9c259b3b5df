import type { Selectable } from "kysely";
import { z } from "zod";
import type { Blobs } from "./blobs.ts";
import { type Database, databaseTimeMs, type Executor } from "./database.ts";
import { AlreadyExistsError, BlobDamagedError, NotFoundError } from "./errors.ts";
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
  /** The digest of the folder that was kept of its files; absent where only those who see its folder have it. */
  readonly files?: string;
  readonly createTimeMs: number;
}

/** A data set to register. */
export interface NewDataset {
  readonly id: string;
  readonly directory: string;
  readonly description: JsonObject;
  /** What was kept of its files: no garbage from now on. */
  readonly files?: KeptFolder | undefined;
  /** The running attempt that drew it: registering it again is fine, also for a later attempt of the same job. */
  readonly job?: RunningAttempt;
}

/** Registered data sets. */
export interface Datasets {
  /** @throws {AlreadyExistsError} @throws {FencedError} @throws {BlobDamagedError} when a blob of its files is not stored */
  register(dataset: NewDataset): Promise<DatasetRecord>;
  /** @throws {NotFoundError} */
  get(id: string): Promise<DatasetRecord>;
  /** True when the id is taken. */
  has(id: string): Promise<boolean>;
  /** By id. @throws {InvalidPageTokenError} */
  list(page: PageRequest): Promise<{ readonly datasets: readonly DatasetRecord[]; readonly nextPageToken: string }>;
}

/** Blobs that are looked for at once. */
const AT_ONCE = 32;
/** Databases take so many values in one statement. */
const ROWS_AT_ONCE = 1000;

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
    async register({ id, directory, description, files, job }) {
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
        const row = {
          id,
          directory,
          description: JSON.stringify(description),
          create_time: await databaseTimeMs(database, tx),
          job: job?.id ?? null,
          files: files?.digest ?? null,
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
  };
}

function datasetFromRow(row: Selectable<Tables["datasets"]>): DatasetRecord {
  return {
    id: row.id,
    directory: row.directory,
    description: JSON.parse(row.description),
    createTimeMs: row.create_time,
    ...(row.files !== null && { files: row.files }),
  };
}

function* batchesOf<T>(list: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < list.length; from += size) yield list.slice(from, from + size);
}
