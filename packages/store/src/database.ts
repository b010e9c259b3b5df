import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CompiledQuery,
  type DatabaseConnection,
  Kysely,
  SqliteAdapter,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
  type Transaction,
} from "kysely";
import { diskErrorFrom } from "./disk-full.ts";
import { migrations, type Tables } from "./schema.ts";

/** The database, or a transaction on it. */
export type Executor = Kysely<Tables> | Transaction<Tables>;

/** An open database. */
export interface Database {
  readonly kysely: Kysely<Tables>;
  /** Changes whenever another connection committed. */
  dataVersion(): number;
  close(): Promise<void>;
}

/** How long a transaction waits for those of other connections. */
const LOCK_TIMEOUT_MS = 30_000;
const SQLITE_BUSY = 5;

/**
 * Transactions that take the write lock at once (a reading one that turns to writing could fail half way), and that
 * wait for it without blocking the event loop.
 */
class ImmediateSqliteDriver extends SqliteDriver {
  readonly #sqlite: DatabaseSync;

  constructor(sqlite: DatabaseSync) {
    super({ database: bindingOf(sqlite) });
    this.#sqlite = sqlite;
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    const deadline = performance.now() + LOCK_TIMEOUT_MS;
    for (let waitMs = 1; ; waitMs = Math.min(2 * waitMs, 32)) {
      try {
        await connection.executeQuery(CompiledQuery.raw("begin immediate"));
        return;
      } catch (error) {
        const busy = error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY;
        if (!busy || performance.now() > deadline) throw error;
        await sleep(waitMs);
      }
    }
  }

  /** SQLite undoes a transaction by itself when the disk is full; undoing it again would hide why. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#sqlite.isTransaction) await super.rollbackTransaction(connection);
  }
}

/**
 * Opens the SQLite file and brings its tables up to date. Several processes may do so at once.
 *
 * @throws {Error} when the file was written by a newer version of the product
 */
export async function openDatabase(path: string): Promise<Database> {
  const sqlite = new DatabaseSync(path, { timeout: 10_000 });
  // FULL: a committed event survives a power cut.
  sqlite.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
  migrate(sqlite, path);
  sqlite.exec("PRAGMA busy_timeout = 0");
  const kysely = new Kysely<Tables>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new ImmediateSqliteDriver(sqlite),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
  // Its driver closes only what it has opened.
  await sql`select 1`.execute(kysely);
  const version = sqlite.prepare("PRAGMA data_version");
  return {
    kysely,
    dataVersion: () => (version.get() as { data_version: number }).data_version,
    close: () => kysely.destroy(),
  };
}

/** The database's time, in milliseconds since the epoch: leases are judged by one clock. */
export async function databaseTimeMs(db: Executor): Promise<number> {
  const { rows } = await sql<{ now: number }>`select cast(unixepoch('subsec') * 1000 as integer) as now`.execute(db);
  return rows[0]!.now;
}

/** Rows that this connection has changed so far. */
export async function totalChanges(db: Executor): Promise<number> {
  const { rows } = await sql<{ changes: number }>`select total_changes() as changes`.execute(db);
  return rows[0]!.changes;
}

function migrate(sqlite: DatabaseSync, path: string): void {
  sqlite.exec("BEGIN IMMEDIATE");
  try {
    const { user_version: version } = sqlite.prepare("PRAGMA user_version").get() as { user_version: number };
    if (version > migrations.length) {
      throw new Error(
        `${path} is of version ${version}, this program knows ${migrations.length}. Use the newer program.`,
      );
    }
    for (const migration of migrations.slice(version)) sqlite.exec(migration);
    sqlite.exec(`PRAGMA user_version = ${migrations.length}`);
    sqlite.exec("COMMIT");
  } catch (error) {
    sqlite.exec("ROLLBACK");
    sqlite.close();
    throw error;
  }
}

/** @throws {DiskFullError} when the database cannot grow */
function told<R>(run: () => R): R {
  try {
    return run();
  } catch (error) {
    throw diskErrorFrom("the database", error);
  }
}

/** node:sqlite in the form that Kysely's driver expects. */
function bindingOf(sqlite: DatabaseSync) {
  return {
    close: () => sqlite.close(),
    prepare(text: string) {
      const statement = sqlite.prepare(text);
      const values = (parameters: readonly unknown[]) => parameters as readonly SQLInputValue[];
      return {
        reader: statement.columns().length > 0,
        all: (parameters: readonly unknown[]) => told(() => statement.all(...values(parameters))),
        run: (parameters: readonly unknown[]) => told(() => statement.run(...values(parameters))),
        iterate: (parameters: readonly unknown[]) => statement.iterate(...values(parameters)),
      };
    },
  };
}
