import type { Selectable } from "kysely";
import type { Blobs } from "./blobs.ts";
import { type Database, databaseTimeMs } from "./database.ts";
import { BlobDamagedError, EvaluationInUseError, NotFoundError } from "./errors.ts";
import { lockGarbage } from "./garbage-rules.ts";
import type { JsonObject } from "./json.ts";
import { type PageRequest, pageOf, placeFromPageToken, timedPlaceOf, timedPlaceSchema } from "./page.ts";
import { lockRunning, type RunningAttempt } from "./running-attempt.ts";
import type { Tables } from "./schema.ts";

/** A stored evaluation. */
export interface EvaluationRecord {
  readonly id: string;
  /** "models/{model}/versions/{version}". */
  readonly modelVersion: string;
  /** "datasets/{dataset}". */
  readonly dataset: string;
  readonly report: JsonObject;
  /** The sha256 of the blob that it keeps beside its report: what each frame scored. Earlier releases kept none. */
  readonly scores?: string | undefined;
  readonly createTimeMs: number;
}

/** Which evaluations are listed: those that are all of what is named. */
export interface EvaluationFilter {
  /** "models/{model}" for all of its versions, or one version's name. */
  readonly model?: string | undefined;
  /** "datasets/{dataset}". */
  readonly dataset?: string | undefined;
}

/** Stored evaluations. */
export interface Evaluations {
  /**
   * Stores a job's report; a later attempt of the same job gets the one that the earlier one stored. Its scores must be
   * stored before, and are no garbage from now on.
   *
   * @throws {FencedError} @throws {BlobDamagedError} when the scores are not stored
   */
  create(
    evaluation: Omit<EvaluationRecord, "createTimeMs"> & { readonly job: RunningAttempt },
  ): Promise<EvaluationRecord>;
  /** @throws {NotFoundError} */
  get(id: string): Promise<EvaluationRecord>;
  /** Newest first. @throws {InvalidPageTokenError} */
  list(
    page: PageRequest & EvaluationFilter,
  ): Promise<{ readonly evaluations: readonly EvaluationRecord[]; readonly nextPageToken: string }>;
  /**
   * Removes an evaluation; its scores are garbage then.
   *
   * @throws {NotFoundError} @throws {EvaluationInUseError} when the job that makes it, or the one that this is a part of, has not ended
   */
  delete(id: string): Promise<void>;
  /** Those of a version on a data set that kept their scores, newest first. */
  listScored(modelVersion: string, dataset: string): Promise<readonly EvaluationRecord[]>;
}

/** Evaluations in a database. */
export function createEvaluations(database: Database, blobs: Blobs): Evaluations {
  const { kysely: db } = database;
  return {
    async create({ id, modelVersion, dataset, report, scores, job }) {
      return database.transaction(async (tx) => {
        await lockRunning(database, tx, job);
        const stored = await tx.selectFrom("evaluations").selectAll().where("job", "=", job.id).executeTakeFirst();
        if (stored !== undefined) return evaluationFromRow(stored);
        if (scores !== undefined) {
          await lockGarbage(database, tx);
          if (!(await blobs.has(scores))) throw new BlobDamagedError(scores, "is missing");
        }
        const row = {
          id,
          model_version: modelVersion,
          dataset,
          report: JSON.stringify(report),
          create_time: await databaseTimeMs(database, tx),
          job: job.id,
          scores: scores ?? null,
        };
        await tx.insertInto("evaluations").values(row).execute();
        return evaluationFromRow(row);
      });
    },

    async get(id) {
      const row = await db.selectFrom("evaluations").selectAll().where("id", "=", id).executeTakeFirst();
      if (row === undefined) throw new NotFoundError("evaluation", `evaluations/${id}`);
      return evaluationFromRow(row);
    },

    async list({ pageSize, pageToken: token, model, dataset }) {
      const place = placeFromPageToken(token, timedPlaceSchema);
      let query = db.selectFrom("evaluations").selectAll().orderBy("create_time", "desc").orderBy("id", "desc");
      if (model?.includes("/versions/")) query = query.where("model_version", "=", model);
      else if (model !== undefined) {
        // What begins with it: "0" is what follows "/".
        query = query.where("model_version", ">", `${model}/`).where("model_version", "<", `${model}0`);
      }
      if (dataset !== undefined) query = query.where("dataset", "=", dataset);
      if (place !== undefined) {
        query = query.where(({ eb, refTuple, tuple }) =>
          eb(refTuple("create_time", "id"), "<", tuple(place.time, place.id)),
        );
      }
      const read = await query.limit(pageSize + 1).execute();
      const { rows, nextPageToken } = pageOf(read, pageSize, timedPlaceOf);
      return { evaluations: rows.map(evaluationFromRow), nextPageToken };
    },

    delete: (id) =>
      database.transaction(async (tx) => {
        const row = await tx.selectFrom("evaluations").select("job").where("id", "=", id).executeTakeFirst();
        if (row === undefined) throw new NotFoundError("evaluation", `evaluations/${id}`);
        const user = await tx
          .selectFrom("jobs as own")
          .innerJoin("jobs as user", (join) =>
            join.on(({ eb, or }) =>
              or([eb("user.id", "=", eb.ref("own.id")), eb("user.id", "=", eb.ref("own.parent"))]),
            ),
          )
          .select("user.id")
          .where("own.id", "=", row.job)
          .where("user.end_time", "is", null)
          .executeTakeFirst();
        if (user !== undefined) throw new EvaluationInUseError(`evaluations/${id}`, `jobs/${user.id}`);
        await tx.deleteFrom("evaluations").where("id", "=", id).execute();
      }),

    async listScored(modelVersion, dataset) {
      const rows = await db
        .selectFrom("evaluations")
        .selectAll()
        .where("model_version", "=", modelVersion)
        .where("dataset", "=", dataset)
        .where("scores", "is not", null)
        .orderBy("create_time", "desc")
        .orderBy("id", "desc")
        .execute();
      return rows.map(evaluationFromRow);
    },
  };
}

function evaluationFromRow(row: Selectable<Tables["evaluations"]>): EvaluationRecord {
  return {
    id: row.id,
    modelVersion: row.model_version,
    dataset: row.dataset,
    report: JSON.parse(row.report),
    createTimeMs: row.create_time,
    ...(row.scores !== null && { scores: row.scores }),
  };
}
