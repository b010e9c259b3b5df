import type { Kysely, Selectable } from "kysely";
import { z } from "zod";
import { databaseTimeMs, type Executor } from "./database.ts";
import { AlreadyExistsError, NotFoundError } from "./errors.ts";
import type { JsonObject } from "./json.ts";
import { type PageRequest, pageToken, placeFromPageToken } from "./page.ts";
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
  /** The job that drew it: registering it again is fine. */
  readonly job?: string;
}

/** Registered data sets. */
export interface Datasets {
  /** @throws {AlreadyExistsError} */
  register(dataset: NewDataset): Promise<DatasetRecord>;
  /** @throws {NotFoundError} */
  get(id: string): Promise<DatasetRecord>;
  /** True when the id is taken. */
  has(id: string): Promise<boolean>;
  /** By id. @throws {InvalidPageTokenError} */
  list(page: PageRequest): Promise<{ readonly datasets: readonly DatasetRecord[]; readonly nextPageToken: string }>;
}

/** Data sets in a database. */
export function createDatasets(db: Kysely<Tables>, notify: () => void): Datasets {
  const find = (tx: Executor, id: string) =>
    tx.selectFrom("datasets").selectAll().where("id", "=", id).executeTakeFirst();
  return {
    async register({ id, directory, description, job }) {
      const record = await db.transaction().execute(async (tx) => {
        const taken = await find(tx, id);
        if (taken !== undefined) {
          if (job !== undefined && taken.job === job) return datasetFromRow(taken);
          throw new AlreadyExistsError("DATASET_EXISTS", `There already is a data set "${id}"`);
        }
        const row = {
          id,
          directory,
          description: JSON.stringify(description),
          create_time: await databaseTimeMs(tx),
          job: job ?? null,
        };
        await tx.insertInto("datasets").values(row).execute();
        return datasetFromRow(row);
      });
      notify();
      return record;
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
      const rows = await query.limit(pageSize + 1).execute();
      const page = rows.slice(0, pageSize);
      const last = page.at(-1);
      return {
        datasets: page.map(datasetFromRow),
        nextPageToken: rows.length > pageSize && last ? pageToken({ id: last.id }) : "",
      };
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
