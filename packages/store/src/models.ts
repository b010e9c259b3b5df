import type { Kysely, Selectable } from "kysely";
import { z } from "zod";
import { databaseTimeMs, type Executor } from "./database.ts";
import { AliasMovedError, FencedError, NotFoundError } from "./errors.ts";
import type { JsonObject } from "./json.ts";
import { type PageRequest, pageToken, placeFromPageToken } from "./page.ts";
import type { Tables } from "./schema.ts";

/** A file of a version. */
export interface ModelArtifact {
  /** What it is: "safetensors", "onnx" or "card". */
  readonly role: string;
  readonly digest: string;
  readonly sizeBytes: number;
}

/** An immutable version of a model. */
export interface ModelVersionRecord {
  readonly model: string;
  /** "1", "2", ... within the model. */
  readonly version: string;
  readonly createTimeMs: number;
  readonly card: JsonObject;
  readonly artifacts: readonly ModelArtifact[];
  /** The job that made it. */
  readonly job?: string;
}

/** A movable name. */
export interface AliasRecord {
  readonly model: string;
  readonly alias: string;
  readonly target: { readonly model: string; readonly version: string };
  /** Changes with every move. */
  readonly etag: string;
  readonly updateTimeMs: number;
}

/** A model with its aliases. */
export interface ModelRecord {
  readonly id: string;
  readonly createTimeMs: number;
  readonly aliases: readonly AliasRecord[];
  readonly latestVersion?: string;
}

/** A version to create. */
export interface NewModelVersion {
  readonly model: string;
  readonly card: JsonObject;
  readonly artifacts: readonly ModelArtifact[];
  /**
   * The running attempt that makes it; a later attempt of the same job gets the version that the earlier one made.
   * Absent for a version that no job makes, such as an import.
   */
  readonly job?: { readonly id: string; readonly attempt: number } | undefined;
}

/** Models, their versions and aliases. */
export interface Models {
  /** Adds a version; makes the model when there is none. @throws {FencedError} */
  createVersion(version: NewModelVersion): Promise<ModelVersionRecord>;
  /** Makes version 1 of a model that ships with the product, without files; does nothing when it is there. */
  ensureBuiltIn(model: string, card: JsonObject): Promise<void>;
  /** @throws {NotFoundError} */
  getVersion(model: string, version: string): Promise<ModelVersionRecord>;
  /** By id. @throws {InvalidPageTokenError} */
  list(page: PageRequest): Promise<{ readonly models: readonly ModelRecord[]; readonly nextPageToken: string }>;
  /** Newest first. @throws {NotFoundError} @throws {InvalidPageTokenError} */
  listVersions(
    model: string,
    page: PageRequest,
  ): Promise<{ readonly versions: readonly ModelVersionRecord[]; readonly nextPageToken: string }>;
  /**
   * Points an alias at a version, of this or another model; makes the model that holds the alias when there is none.
   *
   * @throws {NotFoundError} when there is no such version
   * @throws {AliasMovedError} when `etag` is given and is not the alias's
   */
  setAlias(alias: {
    readonly model: string;
    readonly alias: string;
    readonly target: { readonly model: string; readonly version: string };
    readonly etag?: string | undefined;
  }): Promise<AliasRecord>;
  /** What an alias points at; undefined when it was never set. */
  resolveAlias(model: string, alias: string): Promise<AliasRecord | undefined>;
}

/** Models in a database. */
export function createModels(db: Kysely<Tables>, notify: () => void): Models {
  const aliasesOf = async (tx: Executor, models: readonly string[]): Promise<readonly AliasRecord[]> => {
    if (models.length === 0) return [];
    const rows = await tx.selectFrom("aliases").selectAll().where("model", "in", models).orderBy("alias").execute();
    return rows.map(aliasFromRow);
  };

  const ensureModel = async (tx: Executor, id: string, now: number): Promise<void> => {
    await tx
      .insertInto("models")
      .values({ id, create_time: now })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  };

  const getVersion = async (tx: Executor, model: string, version: string): Promise<ModelVersionRecord> => {
    const number = /^[1-9][0-9]{0,14}$/.test(version) ? Number(version) : 0;
    const row = await tx
      .selectFrom("model_versions")
      .selectAll()
      .where("model", "=", model)
      .where("version", "=", number)
      .executeTakeFirst();
    if (row === undefined) throw new NotFoundError("model version", `models/${model}/versions/${version}`);
    return versionFromRow(row);
  };

  return {
    async createVersion({ model, card, artifacts, job }) {
      const record = await db.transaction().execute(async (tx) => {
        const now = await databaseTimeMs(tx);
        if (job !== undefined) {
          const owner = await tx
            .selectFrom("jobs")
            .select("id")
            .where("id", "=", job.id)
            .where("attempt", "=", job.attempt)
            .where("state", "in", ["RUNNING", "CANCELLING"])
            .executeTakeFirst();
          if (owner === undefined) throw new FencedError(job.id, job.attempt);
          const made = await tx.selectFrom("model_versions").selectAll().where("job", "=", job.id).executeTakeFirst();
          if (made !== undefined) return versionFromRow(made);
        }
        await ensureModel(tx, model, now);
        const { latest } = await tx
          .selectFrom("model_versions")
          .select(({ fn }) => fn.max("version").as("latest"))
          .where("model", "=", model)
          .executeTakeFirstOrThrow();
        const row = {
          model,
          version: (latest ?? 0) + 1,
          create_time: now,
          card: JSON.stringify(card),
          artifacts: JSON.stringify(artifacts),
          job: job?.id ?? null,
        };
        await tx.insertInto("model_versions").values(row).execute();
        return versionFromRow(row);
      });
      notify();
      return record;
    },

    async ensureBuiltIn(model, card) {
      await db.transaction().execute(async (tx) => {
        const now = await databaseTimeMs(tx);
        await ensureModel(tx, model, now);
        await tx
          .insertInto("model_versions")
          .values({ model, version: 1, create_time: now, card: JSON.stringify(card), artifacts: "[]", job: null })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
      });
    },

    getVersion: (model, version) => getVersion(db, model, version),

    async list({ pageSize, pageToken: token }) {
      const place = placeFromPageToken(token, z.strictObject({ id: z.string() }));
      let query = db.selectFrom("models").selectAll().orderBy("id");
      if (place !== undefined) query = query.where("id", ">", place.id);
      const rows = await query.limit(pageSize + 1).execute();
      const page = rows.slice(0, pageSize);
      const ids = page.map(({ id }) => id);
      const aliases = await aliasesOf(db, ids);
      const latest = await db
        .selectFrom("model_versions")
        .select(["model", ({ fn }) => fn.max("version").as("version")])
        .where("model", "in", ids.length === 0 ? [""] : ids)
        .groupBy("model")
        .execute();
      const models = page.map(({ id, create_time }) => {
        const version = latest.find(({ model }) => model === id)?.version;
        return {
          id,
          createTimeMs: create_time,
          aliases: aliases.filter(({ model }) => model === id),
          ...(version === undefined || version === null ? {} : { latestVersion: String(version) }),
        };
      });
      const last = page.at(-1);
      return { models, nextPageToken: rows.length > pageSize && last ? pageToken({ id: last.id }) : "" };
    },

    async listVersions(model, { pageSize, pageToken: token }) {
      const place = placeFromPageToken(token, z.strictObject({ version: z.number() }));
      const found = await db.selectFrom("models").select("id").where("id", "=", model).executeTakeFirst();
      if (found === undefined) throw new NotFoundError("model", `models/${model}`);
      let query = db.selectFrom("model_versions").selectAll().where("model", "=", model).orderBy("version", "desc");
      if (place !== undefined) query = query.where("version", "<", place.version);
      const rows = await query.limit(pageSize + 1).execute();
      const page = rows.slice(0, pageSize);
      const last = page.at(-1);
      return {
        versions: page.map(versionFromRow),
        nextPageToken: rows.length > pageSize && last ? pageToken({ version: last.version }) : "",
      };
    },

    async setAlias({ model, alias, target, etag }) {
      const record = await db.transaction().execute(async (tx) => {
        const now = await databaseTimeMs(tx);
        await getVersion(tx, target.model, target.version);
        const before = await tx
          .selectFrom("aliases")
          .selectAll()
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
          target_version: Number(target.version),
          moves: Number(actual) + 1,
          update_time: now,
        };
        await tx
          .insertInto("aliases")
          .values(row)
          .onConflict((conflict) => conflict.columns(["model", "alias"]).doUpdateSet(row))
          .execute();
        return aliasFromRow(row);
      });
      notify();
      return record;
    },

    async resolveAlias(model, alias) {
      return (await aliasesOf(db, [model])).find((record) => record.alias === alias);
    },
  };
}

function versionFromRow(row: Selectable<Tables["model_versions"]>): ModelVersionRecord {
  return {
    model: row.model,
    version: String(row.version),
    createTimeMs: row.create_time,
    card: JSON.parse(row.card),
    artifacts: JSON.parse(row.artifacts),
    ...(row.job === null ? {} : { job: row.job }),
  };
}

function aliasFromRow(row: Selectable<Tables["aliases"]>): AliasRecord {
  return {
    model: row.model,
    alias: row.alias,
    target: { model: row.target_model, version: String(row.target_version) },
    etag: String(row.moves),
    updateTimeMs: row.update_time,
  };
}
