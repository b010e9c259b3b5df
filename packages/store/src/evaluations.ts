import type { Selectable } from "kysely";
import type { Blobs } from "./blobs.ts";
import { type Database, databaseTimeMs } from "./database.ts";
import { BlobDamagedError, NotFoundError } from "./errors.ts";
import { lockGarbage } from "./garbage-rules.ts";
import type { JsonObject } from "./json.ts";
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
