import type { Selectable } from "kysely";
import { z } from "zod";
import { type Database, databaseTimeMs, type Executor } from "./database.ts";
import { AlreadyExistsError, NotFoundError } from "./errors.ts";
import type { JsonObject } from "./json.ts";
import { type PageRequest, pageOf, placeFromPageToken } from "./page.ts";
import { lockRunning, type RunningAttempt } from "./running-attempt.ts";
import type { Tables } from "./schema.ts";

/** A registered data set. */
export interface DatasetRecord {
  readonly id: string;
  /** Its folder. */
  readonly directory: string;
  /** What it holds, as its reader described it. */
  readonly description: JsonObject;
  readonly createTimeMs: number;
}

/** A data set to register. */
export interface NewDataset {
  readonly id: string;
  readonly directory: string;
  readonly description: JsonObject;
  /** The running attempt that drew it: registering it again is fine, also for a later attempt of the same job. */
  readonly job?: RunningAttempt;
}

/** Registered data sets. */
export interface Datasets {
  /** @throws {AlreadyExistsError} @throws {FencedError} */
  register(dataset: NewDataset): Promise<DatasetRecord>;
  /** @throws {NotFoundError} */
  get(id: string): Promise<DatasetRecord>;
  /** True when the id is taken. */
  has(id: string): Promise<boolean>;
  /** By id. @throws {InvalidPageTokenError} */
  list(page: PageRequest): Promise<{ readonly datasets: readonly DatasetRecord[]; readonly nextPageToken: string }>;
}

/** Data sets in a database. */
export function createDatasets(database: Database): Datasets {
  const { kysely: db } = database;
  const find = (tx: Executor, id: string) =>
    tx.selectFrom("datasets").selectAll().where("id", "=", id).executeTakeFirst();
  return {
    async register({ id, directory, description, job }) {
      return database.transaction(async (tx) => {
        if (job !== undefined) await lockRunning(database, tx, job);
        await database.lock(tx, `dataset ${id}`);
        const taken = await find(tx, id);
        if (taken !== undefined) {
          if (job !== undefined && taken.job === job.id) return datasetFromRow(taken);
          throw new AlreadyExistsError("DATASET_EXISTS", `There already is a data set "${id}"`);
        }
        const row = {
          id,
          directory,
          description: JSON.stringify(description),
          create_time: await databaseTimeMs(database, tx),
          job: job?.id ?? null,
        };
        await tx.insertInto("datasets").values(row).execute();
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
  };
}
