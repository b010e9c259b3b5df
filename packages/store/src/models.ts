import { z } from "zod";
import type { Blobs } from "./blobs.ts";
import type { Database } from "./database.ts";
import { aliasesOf, createModelAliases, type ModelAliases } from "./model-aliases.ts";
import type { ModelRecord } from "./model-record.ts";
import { createModelVersions, type ModelVersions } from "./model-versions.ts";
import { type PageRequest, pageOf, placeFromPageToken } from "./page.ts";

/** Models, their versions and aliases. */
export interface Models extends ModelVersions, ModelAliases {
  /** By id. @throws {InvalidPageTokenError} */
  list(page: PageRequest): Promise<{ readonly models: readonly ModelRecord[]; readonly nextPageToken: string }>;
}

/** Models in a database. */
export function createModels(database: Database, blobs: Blobs): Models {
  const { kysely: db } = database;
  return {
    ...createModelVersions(database, blobs),
    ...createModelAliases(database),

    async list({ pageSize, pageToken: token }) {
      const place = placeFromPageToken(token, z.strictObject({ id: z.string() }));
      let query = db.selectFrom("models").selectAll().orderBy("id");
      if (place !== undefined) query = query.where("id", ">", place.id);
      const read = await query.limit(pageSize + 1).execute();
      const { rows, nextPageToken } = pageOf(read, pageSize, ({ id }) => ({ id }));
      const ids = rows.map(({ id }) => id);
      const aliases = await aliasesOf(db, ids);
      const latest = await db
        .selectFrom("model_versions")
        .select(["model", ({ fn }) => fn.max("version").as("version")])
        .where("model", "in", ids.length === 0 ? [""] : ids)
        .where("delete_time", "is", null)
        .groupBy("model")
        .execute();
      const models = rows.map(({ id, create_time }) => {
        const version = latest.find(({ model }) => model === id)?.version;
        return {
          id,
          createTimeMs: create_time,
          aliases: aliases.filter(({ model }) => model === id),
          ...(version === undefined || version === null ? {} : { latestVersion: String(version) }),
        };
      });
      return { models, nextPageToken };
    },
  };
}
