import { z } from "zod";
import { type Database, databaseTimeMs, type Executor } from "./database.ts";
import { AliasMovedError, NotFoundError } from "./errors.ts";
import { type AliasRecord, aliasFromRow } from "./model-record.ts";
import { ensureModel, lockVersion } from "./model-versions.ts";
import { type PageRequest, pageOf, placeFromPageToken } from "./page.ts";

/** The movable names of versions. */
export interface ModelAliases {
  /**
   * Points an alias at a version, of this or another model; makes the model that holds the alias when there is none.
   *
   * @throws {NotFoundError} when there is no such version
   * @throws {AliasMovedError} when `etag` is given and is not the alias's; "0" is that of an alias never set
   */
  setAlias(alias: {
    readonly model: string;
    readonly alias: string;
    readonly target: { readonly model: string; readonly version: string };
    readonly etag?: string | undefined;
  }): Promise<AliasRecord>;
  /** What an alias points at; undefined when it was never set. */
  resolveAlias(model: string, alias: string): Promise<AliasRecord | undefined>;
  /** Where an alias pointed, newest first; versions may have been deleted since. @throws {NotFoundError} @throws {InvalidPageTokenError} */
  aliasHistory(
    model: string,
    alias: string,
    page: PageRequest,
  ): Promise<{ readonly moves: readonly AliasRecord[]; readonly nextPageToken: string }>;
}

/** The aliases that some models hold, by name. */
export async function aliasesOf(executor: Executor, models: readonly string[]): Promise<readonly AliasRecord[]> {
  if (models.length === 0) return [];
  const rows = await executor.selectFrom("aliases").selectAll().where("model", "in", models).orderBy("alias").execute();
  return rows.map(aliasFromRow);
}

/** Aliases in a database. */
export function createModelAliases(database: Database): ModelAliases {
  const { kysely: db } = database;
  return {
    setAlias: ({ model, alias, target, etag }) =>
      database.transaction(async (tx) => {
        const { version } = await lockVersion(database, tx, target.model, target.version);
        await database.lock(tx, `alias ${model}@${alias}`);
        const now = await databaseTimeMs(database, tx);
        const before = await tx
          .selectFrom("aliases")
          .select("moves")
          .where("model", "=", model)
          .where("alias", "=", alias)
          .executeTakeFirst();
        const actual = String(before?.moves ?? 0);
        if (etag !== undefined && etag !== actual) throw new AliasMovedError(`models/${model}@${alias}`, etag, actual);
        await ensureModel(tx, model, now);
        const row = {
          model,
          alias,
          target_model: target.model,
          target_version: version,
          moves: Number(actual) + 1,
          update_time: now,
        };
        await tx
          .insertInto("aliases")
          .values(row)
          .onConflict((conflict) => conflict.columns(["model", "alias"]).doUpdateSet(row))
          .execute();
        const { moves: move, update_time: time, ...place } = row;
        await tx
          .insertInto("alias_moves")
          .values({ ...place, move, time })
          .execute();
        return aliasFromRow(row);
      }),

    async resolveAlias(model, alias) {
      return (await aliasesOf(db, [model])).find((record) => record.alias === alias);
    },

    async aliasHistory(model, alias, { pageSize, pageToken: token }) {
      const place = placeFromPageToken(token, z.strictObject({ move: z.number() }));
      let query = db.selectFrom("alias_moves").selectAll().where("model", "=", model).where("alias", "=", alias);
      if (place !== undefined) query = query.where("move", "<", place.move);
      const read = await query
        .orderBy("move", "desc")
        .limit(pageSize + 1)
        .execute();
      if (read.length === 0 && place === undefined) throw new NotFoundError("alias", `models/${model}@${alias}`);
      const { rows, nextPageToken } = pageOf(read, pageSize, ({ move }) => ({ move }));
      const moves = rows.map(({ move, time, ...row }) => aliasFromRow({ ...row, moves: move, update_time: time }));
      return { moves, nextPageToken };
    },
  };
}
