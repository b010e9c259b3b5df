import type { Transaction } from "kysely";
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

/** Keeps an attempt the job's running one until the transaction ends. @throws {FencedError} when it is not */
export async function requireRunning(
  database: Database,
  tx: Transaction<Tables>,
  { id, attempt }: RunningAttempt,
): Promise<void> {
  const running = tx
    .selectFrom("jobs")
    .select("id")
    .where("id", "=", id)
    .where("attempt", "=", attempt)
    .where("state", "in", RUNNING_STATES);
  if ((await database.forUpdate(running).executeTakeFirst()) === undefined) throw new FencedError(id, attempt);
}
