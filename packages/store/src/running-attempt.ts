import type { Selectable, Transaction } from "kysely";
import type { Database } from "./database.ts";
import { FencedError } from "./errors.ts";
import { RUNNING_STATES } from "./job-record.ts";
import type { Tables } from "./schema.ts";

/** An attempt that makes something. */
export interface RunningAttempt {
  /** The job's. */
  readonly id: string;
  readonly attempt: number;
}

/** The job of an attempt, which stays its running one until the transaction ends. @throws {FencedError} when it is not */
export async function lockRunning(
  database: Database,
  tx: Transaction<Tables>,
  { id, attempt }: RunningAttempt,
): Promise<Selectable<Tables["jobs"]>> {
  const running = tx
    .selectFrom("jobs")
    .selectAll()
    .where("id", "=", id)
    .where("attempt", "=", attempt)
    .where("state", "in", RUNNING_STATES);
  const row = await database.forUpdate(running).executeTakeFirst();
  if (row === undefined) throw new FencedError(id, attempt);
  return row;
}
