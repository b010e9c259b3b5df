import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type DatabaseConnection,
  Kysely,
  SqliteAdapter,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from "kysely";
import { createChanges, type FollowCommits } from "../changes.ts";
import type { Database, Executor } from "../database.ts";
import { SchemaTooNewError } from "../errors.ts";
import { type Migration, migrations } from "../migrations.ts";
import type { Tables } from "../schema.ts";
import { isBusy, sqliteError } from "./sqlite-error.ts";

/** How long a transaction waits for those of other connections. */
const LOCK_TIMEOUT_MS = 30_000;
/** The same at the start, when waiting blocks the event loop. */
const OPEN_TIMEOUT_MS = 10_000;
/** How often the commits of other processes are looked for. */
const POLL_MS = 200;

/**
 * Transactions that take the write lock at once (a reading one that turns to writing could fail half way), and that
 * wait for it without blocking the event loop.
 */
class ImmediateSqliteDriver extends SqliteDriver {
  readonly #sqlite: DatabaseSync;
  readonly #path: string;
  readonly #lockTimeoutMs: number;

  constructor(sqlite: DatabaseSync, path: string, lockTimeoutMs: number) {
    super({ database: bindingOf(sqlite, path) });
    this.#sqlite = sqlite;
    this.#path = path;
    this.#lockTimeoutMs = lockTimeoutMs;
  }

  override async beginTransaction(): Promise<void> {
    const deadline = performance.now() + this.#lockTimeoutMs;
    for (let waitMs = 1; ; waitMs = Math.min(2 * waitMs, 32)) {
      try {
        this.#sqlite.exec("begin immediate");
        return;
      } catch (error) {
        if (!isBusy(error) || performance.now() > deadline) throw sqliteError(this.#path, error);
        await sleep(waitMs);
      }
    }
  }

  /** SQLite undoes a transaction by itself when the disk is full; undoing it again would hide why. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#sqlite.isTransaction) await super.rollbackTransaction(connection);
  }
}

/** What tests of the driver change. */
interface SqliteOptions {
  readonly lockTimeoutMs?: number;
  readonly openTimeoutMs?: number;
  readonly migrations?: readonly Migration[];
}

/**
 * Opens the SQLite file and brings its tables up to date. Several processes of one machine may do so at once.
 *
 * @throws {SchemaTooNewError} @throws {StoreUnavailableError} @throws {StoreRefusedError} @throws {StoreDamagedError}
 */
export async function openSqlite(path: string, options: SqliteOptions = {}): Promise<Database> {
  const { lockTimeoutMs = LOCK_TIMEOUT_MS, openTimeoutMs = OPEN_TIMEOUT_MS } = options;
  const sqlite = openUpToDate(path, openTimeoutMs, options.migrations ?? migrations);
  const kysely = new Kysely<Tables>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new ImmediateSqliteDriver(sqlite, path, lockTimeoutMs),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
  // Its driver closes only what it has opened.
  await sql`select 1`.execute(kysely);
  const changes = createChanges(followCommits(sqlite));
  return {
    kysely,
    changes,
    async transaction(work) {
      const { result, changed } = await kysely.transaction().execute(async (tx) => {
        const before = await countChanges(tx);
        const result = await work(tx);
        return { result, changed: (await countChanges(tx)) !== before };
      });
      if (changed) changes.notify();
      return result;
    },
    forUpdate: (query) => query,
    lock: async () => {},
    clock: sql`select cast(unixepoch('subsec') * 1000 as integer) as now`,
    close: () => kysely.destroy(),
  };
}

/** How often something changed that watchers are told of: the schema's triggers count. */
async function countChanges(executor: Executor): Promise<number> {
  const { count } = await executor.selectFrom("changes").select("count").executeTakeFirstOrThrow();
  return count;
}

/**
 * SQLite tells nobody: its version number grows with the commits of others, heartbeats among them, and what the triggers have
 * counted says whether any of them is worth a look. That counts own commits as well, of which watchers know already.
 */
function followCommits(sqlite: DatabaseSync): FollowCommits {
  const versionStatement = sqlite.prepare("PRAGMA data_version");
  const countStatement = sqlite.prepare("select count from changes");
  const dataVersion = () => (versionStatement.get() as { data_version: number }).data_version;
  const changeCount = () => (countStatement.get() as { count: number }).count;
  return async ({ ready, changed }, signal) => {
    let version = dataVersion();
    // What an own transaction has counted may be undone: it is not compared with.
    let count = sqlite.isTransaction ? undefined : changeCount();
    ready();
    for (;;) {
      await sleep(POLL_MS, undefined, { ref: false });
      if (signal.aborted) return;
      const now = dataVersion();
      if (now === version) continue;
      version = now;
      const counted = sqlite.isTransaction ? undefined : changeCount();
      const isSame = counted !== undefined && counted === count;
      count = counted;
      if (!isSame) changed();
    }
  };
}

function openUpToDate(path: string, timeout: number, migrations: readonly Migration[]): DatabaseSync {
  let sqlite: DatabaseSync | undefined;
  try {
    sqlite = new DatabaseSync(path, { timeout });
    // FULL: a committed event survives a power cut.
    sqlite.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
    migrate(sqlite, path, migrations);
    sqlite.exec("PRAGMA busy_timeout = 0");
    return sqlite;
  } catch (error) {
    sqlite?.close();
    throw sqliteError(path, error);
  }
}

/** All of the migrations that are missing, or none. */
function migrate(sqlite: DatabaseSync, path: string, migrations: readonly Migration[]): void {
  sqlite.exec("BEGIN IMMEDIATE");
  try {
    const { user_version: version } = sqlite.prepare("PRAGMA user_version").get() as { user_version: number };
    if (version > migrations.length) throw new SchemaTooNewError(path, version, migrations.length);
    for (const migration of migrations.slice(version)) sqlite.exec(migration.sqlite);
    sqlite.exec(`PRAGMA user_version = ${migrations.length}`);
    sqlite.exec("COMMIT");
  } catch (error) {
    // SQLite undoes it by itself when the disk is full; undoing it again would hide why.
    if (sqlite.isTransaction) sqlite.exec("ROLLBACK");
    throw error;
  }
}

/** node:sqlite in the form that Kysely's driver expects. */
function bindingOf(sqlite: DatabaseSync, path: string) {
  const told = <R>(run: () => R): R => {
    try {
      return run();
    } catch (error) {
      throw sqliteError(path, error);
    }
  };
  return {
    close: () => sqlite.close(),
    prepare(text: string) {
      const statement = told(() => sqlite.prepare(text));
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
