import type { Kysely, RawBuilder, SelectQueryBuilder, Transaction } from "kysely";
import type { Changes } from "./changes.ts";
import type { Tables } from "./schema.ts";

/** The database, or a transaction on it. */
export type Executor = Kysely<Tables> | Transaction<Tables>;

/**
 * What the store asks of a database. A transaction sees what was committed before each of its statements and decides
 * only on what it has locked, by forUpdate or by lock: on SQLite every transaction runs alone, on PostgreSQL those
 * two make it so for what matters.
 */
export interface Database {
  readonly kysely: Kysely<Tables>;
  /** Runs all of `work` or nothing; watchers are told when it changed anything. It may run more than once. */
  transaction<T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<T>;
  /** Locks the rows of a query until the transaction ends. */
  forUpdate<TB extends keyof Tables, O>(
    query: SelectQueryBuilder<Tables, TB, O>,
    options?: { readonly skipLocked?: boolean },
  ): SelectQueryBuilder<Tables, TB, O>;
  /** Locks a name, for what has no row yet, until the transaction ends. */
  lock(tx: Transaction<Tables>, name: string): Promise<void>;
  /** The database's clock, in milliseconds since the epoch. */
  readonly clock: RawBuilder<{ readonly now: number }>;
  readonly changes: Changes;
  close(): Promise<void>;
}

/** The database's time, in milliseconds since the epoch: leases are judged by one clock. */
export async function databaseTimeMs({ clock }: Database, executor: Executor): Promise<number> {
  const { rows } = await clock.execute(executor);
  return rows[0]!.now;
}
