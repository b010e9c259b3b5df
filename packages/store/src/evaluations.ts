import type { Selectable } from "kysely";
import { type Database, databaseTimeMs } from "./database.ts";
import { NotFoundError } from "./errors.ts";
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
  readonly createTimeMs: number;
}

/** Stored evaluations. */
export interface Evaluations {
  /**
   * Stores a job's report; a later attempt of the same job gets the one that the earlier one stored.
   *
   * @throws {FencedError}
   */
  create(
    evaluation: Omit<EvaluationRecord, "createTimeMs"> & { readonly job: RunningAttempt },
  ): Promise<EvaluationRecord>;
  /** @throws {NotFoundError} */
  get(id: string): Promise<EvaluationRecord>;
}

/** Evaluations in a database. */
export function createEvaluations(database: Database): Evaluations {
  const { kysely: db } = database;
  return {
    async create({ id, modelVersion, dataset, report, job }) {
      return database.transaction(async (tx) => {
        await lockRunning(database, tx, job);
        const stored = await tx.selectFrom("evaluations").selectAll().where("job", "=", job.id).executeTakeFirst();
        if (stored !== undefined) return evaluationFromRow(stored);
        const row = {
          id,
          model_version: modelVersion,
          dataset,
          report: JSON.stringify(report),
          create_time: await databaseTimeMs(database, tx),
          job: job.id,
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
  };
}

function evaluationFromRow(row: Selectable<Tables["evaluations"]>): EvaluationRecord {
  return {
    id: row.id,
    modelVersion: row.model_version,
    dataset: row.dataset,
    report: JSON.parse(row.report),
    createTimeMs: row.create_time,
  };
}
