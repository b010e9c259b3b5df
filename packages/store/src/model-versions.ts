import type { Transaction } from "kysely";
import { z } from "zod";
import type { Blobs } from "./blobs.ts";
import { type Database, databaseTimeMs, type Executor } from "./database.ts";
import { BlobDamagedError, ModelVersionInUseError, NotFoundError } from "./errors.ts";
import { lockGarbage } from "./garbage-rules.ts";
import type { JsonObject } from "./json.ts";
import { type ModelVersionRecord, type NewModelVersion, versionFromRow, versionNumber } from "./model-record.ts";
import { type PageRequest, pageOf, placeFromPageToken } from "./page.ts";
import { lockRunning, type RunningAttempt } from "./running-attempt.ts";
import type { Tables } from "./schema.ts";

/** The versions of models. */
export interface ModelVersions {
  /**
   * Adds a version; makes the model when there is none. The version is there only with all of its files.
   *
   * @throws {FencedError} @throws {BlobDamagedError} when a file is not stored
   */
  createVersion(version: NewModelVersion): Promise<ModelVersionRecord>;
  /** Makes version 1 of a model that ships with the product, without files; does nothing when it is there. */
  ensureBuiltIn(model: string, card: JsonObject): Promise<void>;
  /** @throws {NotFoundError} */
  getVersion(model: string, version: string): Promise<ModelVersionRecord>;
  /** Newest first. @throws {NotFoundError} @throws {InvalidPageTokenError} */
  listVersions(
    model: string,
    page: PageRequest,
  ): Promise<{ readonly versions: readonly ModelVersionRecord[]; readonly nextPageToken: string }>;
  /**
   * Deletes a version; its files go with the next collection of garbage when no other version has them.
   *
   * @throws {NotFoundError} @throws {ModelVersionInUseError} when an alias or a job that has not ended holds it
   */
  deleteVersion(model: string, version: string): Promise<void>;
}

/** Makes a model when there is none. */
export async function ensureModel(executor: Executor, id: string, now: number): Promise<void> {
  await executor
    .insertInto("models")
    .values({ id, create_time: now })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** The living row of a version, locked. @throws {NotFoundError} */
export async function lockVersion(database: Database, tx: Transaction<Tables>, model: string, version: string) {
  return found(database.forUpdate(livingVersion(tx, model, version)), model, version);
}

const livingVersion = (executor: Executor, model: string, version: string) =>
  executor
    .selectFrom("model_versions")
    .selectAll()
    .where("model", "=", model)
    .where("version", "=", versionNumber(version))
    .where("delete_time", "is", null);

async function found(query: ReturnType<typeof livingVersion>, model: string, version: string) {
  const row = await query.executeTakeFirst();
  if (row === undefined) throw new NotFoundError("model version", `models/${model}/versions/${version}`);
  return row;
}

/** Versions in a database. */
export function createModelVersions(database: Database, blobs: Blobs): ModelVersions {
  const { kysely: db } = database;

  /** What the job has made already. @throws {FencedError} */
  const madeBy = async (tx: Transaction<Tables>, job: RunningAttempt) => {
    await lockRunning(database, tx, job);
    return tx.selectFrom("model_versions").selectAll().where("job", "=", job.id).executeTakeFirst();
  };

  return {
    createVersion: ({ model, card, artifacts, job }) =>
      database.transaction(async (tx) => {
        const made = job === undefined ? undefined : await madeBy(tx, job);
        if (made !== undefined) return versionFromRow(made);
        await lockGarbage(database, tx);
        for (const { digest } of artifacts) {
          if (!(await blobs.has(digest))) throw new BlobDamagedError(digest, "is missing");
        }
        const now = await databaseTimeMs(database, tx);
        await ensureModel(tx, model, now);
        await database.lock(tx, `versions of ${model}`);
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
          delete_time: null,
        };
        await tx.insertInto("model_versions").values(row).execute();
        return versionFromRow(row);
      }),

    ensureBuiltIn: (model, card) =>
      database.transaction(async (tx) => {
        const now = await databaseTimeMs(database, tx);
        await ensureModel(tx, model, now);
        await tx
          .insertInto("model_versions")
          .values({ model, version: 1, create_time: now, card: JSON.stringify(card), artifacts: "[]", job: null })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
      }),

    getVersion: async (model, version) =>
      versionFromRow(await found(livingVersion(db, model, version), model, version)),

    async listVersions(model, { pageSize, pageToken: token }) {
      const place = placeFromPageToken(token, z.strictObject({ version: z.number() }));
      const holder = await db.selectFrom("models").select("id").where("id", "=", model).executeTakeFirst();
      if (holder === undefined) throw new NotFoundError("model", `models/${model}`);
      let query = db
        .selectFrom("model_versions")
        .selectAll()
        .where("model", "=", model)
        .where("delete_time", "is", null)
        .orderBy("version", "desc");
      if (place !== undefined) query = query.where("version", "<", place.version);
      const read = await query.limit(pageSize + 1).execute();
      const { rows, nextPageToken } = pageOf(read, pageSize, ({ version }) => ({ version }));
      return { versions: rows.map(versionFromRow), nextPageToken };
    },

    deleteVersion: (model, version) =>
      database.transaction(async (tx) => {
        const row = await lockVersion(database, tx, model, version);
        const aliases = await tx
          .selectFrom("aliases")
          .select(["model", "alias"])
          .where("target_model", "=", model)
          .where("target_version", "=", row.version)
          .execute();
        const jobs = await tx
          .selectFrom("job_versions")
          .innerJoin("jobs", "jobs.id", "job_versions.job")
          .select("job")
          .where("model", "=", model)
          .where("version", "=", row.version)
          .where("end_time", "is", null)
          .execute();
        const users = [
          ...aliases.map((each) => `models/${each.model}@${each.alias}`),
          ...jobs.map(({ job }) => `jobs/${job}`),
        ];
        if (users.length > 0) throw new ModelVersionInUseError(`models/${model}/versions/${version}`, users);
        await tx
          .updateTable("model_versions")
          .set({ delete_time: await databaseTimeMs(database, tx) })
          .where("model", "=", model)
          .where("version", "=", row.version)
          .execute();
      }),
  };
}
