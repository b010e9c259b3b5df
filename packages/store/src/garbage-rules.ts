import type { Transaction } from "kysely";
import type { Database } from "./database.ts";
import type { Tables } from "./schema.ts";

/**
 * What is younger is never removed, although nothing refers to it: something may be about to. Longer than any publication,
 * upload or import takes.
 */
export const GARBAGE_MIN_AGE_MS = 24 * 3_600_000;

/** Runs work while nothing is removed as garbage: what began to be removed before is gone, and what is young stays. */
export type Undisturbed = <T>(work: () => Promise<T>) => Promise<T>;

/** Keeps the removal of garbage and the naming of what might be garbage apart, until the transaction ends. */
export function lockGarbage(database: Database, tx: Transaction<Tables>): Promise<void> {
  return database.lock(tx, "garbage");
}

/** Keeps garbage from being removed by any process of a database. */
export function undisturbedBy(database: Database): Undisturbed {
  return (work) =>
    database.transaction(async (tx) => {
      await lockGarbage(database, tx);
      return work();
    });
}
