import type { Transaction } from "kysely";
import { z } from "zod";
import { type Database, databaseTimeMs, type Executor } from "./database.ts";
import { AliasMovedError, NotFoundError } from "./errors.ts";
import {
  type AliasMoveRecord,
  type AliasRecord,
  aliasFromRow,
  aliasMoveFromRow,
  type ModelVersionRecord,
  versionFromRow,
} from "./model-record.ts";
import { ensureModel, lockVersion } from "./model-versions.ts";
import { type PageRequest, pageOf, placeFromPageToken } from "./page.ts";
import type { Tables } from "./schema.ts";

/** A move that is about to be made. */
export interface AliasMove {
  /** Undefined: the alias is not set. */
  readonly from: ModelVersionRecord | undefined;
  readonly to: ModelVersionRecord;
}

/** The movable names of versions. */
export interface ModelAliases {
  /**
   * Points an alias at a version, of this or another model; makes the model that holds the alias when there is none.
   *
   * @param alias.check refuses a move by throwing. It sees the move in the transaction that makes it, so that none comes
   * between, and runs again when that does.
   * @throws {NotFoundError} when there is no such version
   * @throws {AliasMovedError} when `etag` is given and is not the alias's; "0" is that of an alias never set, and one that was
   * deleted has that of its last move
   */
  setAlias(alias: {
    readonly model: string;
    readonly alias: string;
    readonly target: { readonly model: string; readonly version: string };
    readonly etag?: string | undefined;
    readonly check?: (move: AliasMove) => void;
  }): Promise<AliasRecord>;
  /**
   * Makes an alias point at nothing. Its history stays, and no etag of it comes again when it is set once more.
   *
   * @throws {NotFoundError} when it is not set
   * @throws {AliasMovedError} when `etag` is given and is not the alias's
   */
  deleteAlias(alias: {
    readonly model: string;
    readonly alias: string;
    readonly etag?: string | undefined;
  }): Promise<void>;
  /** What an alias points at; undefined when it is not set. */
  resolveAlias(model: string, alias: string): Promise<AliasRecord | undefined>;
  /** Where an alias pointed, newest first; versions may have been deleted since. @throws {NotFoundError} @throws {InvalidPageTokenError} */
  aliasHistory(
    model: string,
    alias: string,
    page: PageRequest,
  ): Promise<{ readonly moves: readonly AliasMoveRecord[]; readonly nextPageToken: string }>;
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

  /** An alias, locked: where it points, and the number of its last move, 0 before the first. */
  const lockAlias = async (tx: Transaction<Tables>, model: string, alias: string) => {
    await database.lock(tx, `alias ${model}@${alias}`);
    const row = await aliasIn(tx, model, alias).executeTakeFirst();
    // Of one that was deleted only its moves are left.
    const { last } = await tx
      .selectFrom("alias_moves")
      .select(({ fn }) => fn.max("move").as("last"))
      .where("model", "=", model)
      .where("alias", "=", alias)
      .executeTakeFirstOrThrow();
    return { row, moves: last ?? 0 };
  };

  return {
    setAlias: ({ model, alias, target, etag, check }) =>
      database.transaction(async (tx) => {
        const to = await lockVersion(database, tx, target.model, target.version);
        const { row: before, moves } = await lockAlias(tx, model, alias);
        requireEtag(`models/${model}@${alias}`, etag, moves);
        if (check !== undefined) {
          const from = before === undefined ? undefined : await lockedTarget(tx, before);
          check({ from: from && versionFromRow(from), to: versionFromRow(to) });
        }
        const now = await databaseTimeMs(database, tx);
        await ensureModel(tx, model, now);
        const place = { model, alias, target_model: target.model, target_version: to.version };
        const row = { ...place, moves: moves + 1, update_time: now };
        await tx
          .insertInto("aliases")
          .values(row)
          .onConflict((conflict) => conflict.columns(["model", "alias"]).doUpdateSet(row))
          .execute();
        await tx
          .insertInto("alias_moves")
          .values({ ...place, move: row.moves, time: now })
          .execute();
        return aliasFromRow(row);
      }),

    deleteAlias: ({ model, alias, etag }) =>
      database.transaction(async (tx) => {
        const name = `models/${model}@${alias}`;
        const { row, moves } = await lockAlias(tx, model, alias);
        if (row === undefined) throw new NotFoundError("alias", name);
        requireEtag(name, etag, moves);
        await tx.deleteFrom("aliases").where("model", "=", model).where("alias", "=", alias).execute();
        const removal = { model, alias, move: moves + 1, target_model: null, target_version: null };
        await tx
          .insertInto("alias_moves")
          .values({ ...removal, time: await databaseTimeMs(database, tx) })
          .execute();
      }),

    async resolveAlias(model, alias) {
      const row = await aliasIn(db, model, alias).executeTakeFirst();
      return row && aliasFromRow(row);
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
      return { moves: rows.map(aliasMoveFromRow), nextPageToken };
    },
  };
}

const aliasIn = (executor: Executor, model: string, alias: string) =>
  executor.selectFrom("aliases").selectAll().where("model", "=", model).where("alias", "=", alias);

/** What a locked alias points at: the version is there as long as the alias holds it. */
const lockedTarget = (tx: Transaction<Tables>, alias: { target_model: string; target_version: number }) =>
  tx
    .selectFrom("model_versions")
    .selectAll()
    .where("model", "=", alias.target_model)
    .where("version", "=", alias.target_version)
    .executeTakeFirstOrThrow();

/** @throws {AliasMovedError} */
function requireEtag(name: string, expected: string | undefined, moves: number): void {
  const actual = String(moves);
  if (expected !== undefined && expected !== actual) throw new AliasMovedError(name, expected, actual);
}
