import type { Selectable } from "kysely";
import { type Database, databaseTimeMs } from "./database.ts";
import { NotFoundError } from "./errors.ts";
import type { JsonObject } from "./json.ts";
import { lockRunning, type RunningAttempt } from "./running-attempt.ts";
import type { Tables } from "./schema.ts";

/** A stored cross-validation. */
export interface CrossValidationRecord {
  readonly id: string;
  /** "models/{model}" whose versions were made for it. */
  readonly model: string;
  /** "datasets/{dataset}". */
  readonly dataset: string;
  readonly report: JsonObject;
  readonly createTimeMs: number;
}

/** Stored cross-validations. */
export interface CrossValidations {
  /** Stores a job's report; a later attempt of the same job gets the one that the earlier one stored. @throws {FencedError} */
  create(
    crossValidation: Omit<CrossValidationRecord, "createTimeMs"> & { readonly job: RunningAttempt },
  ): Promise<CrossValidationRecord>;
  /** @throws {NotFoundError} */
  get(id: string): Promise<CrossValidationRecord>;
}

/** Cross-validations in a database. */
export function createCrossValidations(database: Database): CrossValidations {
  const { kysely: db } = database;
  return {
    create: ({ id, model, dataset, report, job }) =>
      database.transaction(async (tx) => {
        await lockRunning(database, tx, job);
        const stored = await tx
          .selectFrom("cross_validations")
          .selectAll()
          .where("job", "=", job.id)
          .executeTakeFirst();
        if (stored !== undefined) return crossValidationFromRow(stored);
        const row = {
          id,
          model,
          dataset,
          report: JSON.stringify(report),
          create_time: await databaseTimeMs(database, tx),
          job: job.id,
        };
        await tx.insertInto("cross_validations").values(row).execute();
        return crossValidationFromRow(row);
      }),

    async get(id) {
      const row = await db.selectFrom("cross_validations").selectAll().where("id", "=", id).executeTakeFirst();
      if (row === undefined) throw new NotFoundError("cross-validation", `crossValidations/${id}`);
      return crossValidationFromRow(row);
    },
  };
}

function crossValidationFromRow(row: Selectable<Tables["cross_validations"]>): CrossValidationRecord {
  return {
    id: row.id,
    model: row.model,
    dataset: row.dataset,
    report: JSON.parse(row.report),
    createTimeMs: row.create_time,
  };
}
