import type { Kysely, Selectable } from "kysely";
import { databaseTimeMs } from "./database.ts";
import { NotFoundError } from "./errors.ts";
import type { JsonObject } from "./json.ts";
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
  /** Stores a job's report; a later attempt of the same job gets the one that the earlier one stored. */
  create(evaluation: Omit<EvaluationRecord, "createTimeMs"> & { readonly job: string }): Promise<EvaluationRecord>;
  /** @throws {NotFoundError} */
  get(id: string): Promise<EvaluationRecord>;
}

/** Evaluations in a database. */
export function createEvaluations(db: Kysely<Tables>, notify: () => void): Evaluations {
  return {
    async create({ id, modelVersion, dataset, report, job }) {
      const record = await db.transaction().execute(async (tx) => {
        const stored = await tx.selectFrom("evaluations").selectAll().where("job", "=", job).executeTakeFirst();
        if (stored !== undefined) return evaluationFromRow(stored);
        const row = {
          id,
          model_version: modelVersion,
          dataset,
          report: JSON.stringify(report),
          create_time: await databaseTimeMs(tx),
          job,
        };
        await tx.insertInto("evaluations").values(row).execute();
        return evaluationFromRow(row);
      });
      notify();
      return record;
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
