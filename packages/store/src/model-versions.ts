import { type Selectable, sql, type Transaction } from "kysely";
import { z } from "zod";
import type { Blobs } from "./blobs.ts";
import { type Database, databaseTimeMs, type Executor } from "./database.ts";
import { AlreadyExistsError, BlobDamagedError, ModelVersionInUseError, NotFoundError } from "./errors.ts";
import { lockGarbage } from "./garbage-rules.ts";
import { hasEnded, JOB_STATES } from "./job-record.ts";
import type { JsonObject } from "./json.ts";
import {
  type ModelVersionRecord,
  type NewModelVersion,
  type VersionRequest,
  versionFromRow,
  versionNumber,
} from "./model-record.ts";
import { type PageRequest, pageOf, placeFromPageToken } from "./page.ts";
import { lockRunning, type RunningAttempt } from "./running-attempt.ts";
import type { Tables } from "./schema.ts";

/** The versions of models. */
export interface ModelVersions {
  /**
   * Adds a version; makes the model when there is none. The version is there only with all of its files.
   *
   * @throws {FencedError} @throws {BlobDamagedError} when a file is not stored
   * @throws {AlreadyExistsError} @throws {NotFoundError} as `requestedVersion`
   */
  createVersion(version: NewModelVersion): Promise<ModelVersionRecord>;
  /**
   * The version that a request made; undefined when it is new.
   *
   * @throws {AlreadyExistsError} when its id belongs to another request
   * @throws {NotFoundError} when the version was deleted
   */
  requestedVersion(request: VersionRequest): Promise<ModelVersionRecord | undefined>;
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
   * Keeps a version that an attempt has learned of, such as what another job made, as if its job had named it: RetryJob asks
   * for it again.
   *
   * @throws {FencedError} @throws {NotFoundError}
   */
  keepVersion(model: string, version: string, job: RunningAttempt): Promise<void>;
  /**
   * Deletes a version; its files go with the next collection of garbage when no other version has them.
   *
   * @throws {NotFoundError} @throws {ModelVersionInUseError} when an alias or a job that has not ended holds it: one that
   *   reads it, the one that makes it, its parent, and those that were to wait for it
   */
  deleteVersion(model: string, version: string): Promise<void>;
}

type VersionRow = Selectable<Tables["model_versions"]>;

const OPEN_STATES = JOB_STATES.filter((state) => !hasEnded(state));

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

/** Keeps a version while a job has not ended. @throws {NotFoundError} */
export async function addJobVersion(
  database: Database,
  tx: Transaction<Tables>,
  job: string,
  { model, version: name }: { readonly model: string; readonly version: string },
): Promise<void> {
  const { version } = await lockVersion(database, tx, model, name);
  await tx
    .insertInto("job_versions")
    .values({ job, model, version })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
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
    const made = await tx.selectFrom("model_versions").selectAll().where("job", "=", job.id).executeTakeFirst();
    if (made === undefined || made.delete_time === null) return made;
    // It was deleted after the job had failed, and the job was tried again: it makes another.
    await tx.updateTable("model_versions").set({ job: null }).where("job", "=", job.id).execute();
    return undefined;
  };

  /** What the request has made already. @throws {AlreadyExistsError} @throws {NotFoundError} */
  const requestedIn = async (executor: Executor, { id, digest }: VersionRequest) => {
    const row = await executor.selectFrom("model_versions").selectAll().where("request_id", "=", id).executeTakeFirst();
    if (row === undefined) return undefined;
    const name = `models/${row.model}/versions/${row.version}`;
    if (row.request_digest !== digest) {
      const message = `The request id ${id} belongs to another request, which made ${name}`;
      throw new AlreadyExistsError("REQUEST_ID_REUSED", message);
    }
    if (row.delete_time !== null) throw new NotFoundError("model version", name);
    return versionFromRow(row);
  };

  /** The jobs that have not ended and need a version that a job made, whether they named it or not. */
  const usersOf = async (tx: Transaction<Tables>, { model, version, ...row }: VersionRow): Promise<string[]> => {
    const job = row.job ?? "";
    const parent = tx.selectFrom("jobs").select("parent").where("id", "=", job);
    const named = tx.selectFrom("job_versions").select("job").where("model", "=", model).where("version", "=", version);
    const rows = await tx
      .selectFrom("jobs")
      .select("id")
      .where("state", "in", OPEN_STATES)
      .where(({ or, eb }) =>
        or([
          eb("id", "in", named),
          eb("id", "=", job),
          eb("id", "in", parent),
          // What it was to wait for is a list in JSON, whose ids need no escapes.
          sql<boolean>`replace(run_after, ${`"${job}"`}, '') <> run_after`,
        ]),
      )
      .orderBy("create_time")
      .orderBy("id")
      .execute();
    return rows.map(({ id }) => id);
  };

  return {
    createVersion: ({ model, card, artifacts, job, request }) =>
      database.transaction(async (tx) => {
        const made = job === undefined ? undefined : await madeBy(tx, job);
        if (made !== undefined) return versionFromRow(made);
        if (request !== undefined) {
          await database.lock(tx, `version request ${request.id}`);
          const requested = await requestedIn(tx, request);
          if (requested !== undefined) return requested;
        }
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
          request_id: request?.id ?? null,
          request_digest: request?.digest ?? null,
        };
        await tx.insertInto("model_versions").values(row).execute();
        return versionFromRow(row);
      }),

    requestedVersion: (request) => requestedIn(db, request),

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

    keepVersion: (model, version, job) =>
      database.transaction(async (tx) => {
        await lockRunning(database, tx, job);
        await addJobVersion(database, tx, job.id, { model, version });
      }),

    deleteVersion: (model, version) =>
      database.transaction(async (tx) => {
        // Its job's row comes first, as where jobs are made: one that begins to wait for it meanwhile is seen.
        const { job } = await found(livingVersion(tx, model, version), model, version);
        if (job !== null) await database.forUpdate(tx.selectFrom("jobs").selectAll().where("id", "=", job)).execute();
        const row = await lockVersion(database, tx, model, version);
        const aliases = await tx
          .selectFrom("aliases")
          .select(["model", "alias"])
          .where("target_model", "=", model)
          .where("target_version", "=", row.version)
          .execute();
        const users = [
          ...aliases.map((each) => `models/${each.model}@${each.alias}`),
          ...(await usersOf(tx, row)).map((id) => `jobs/${id}`),
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
