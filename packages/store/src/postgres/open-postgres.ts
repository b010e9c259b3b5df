import { setTimeout as sleep } from "node:timers/promises";
import {
  type DatabaseConnection,
  Kysely,
  PostgresAdapter,
  PostgresDriver,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
} from "kysely";
import pg from "pg";
import { createChanges } from "../changes.ts";
import type { Database } from "../database.ts";
import { SchemaTooNewError } from "../errors.ts";
import { migrations } from "../migrations.ts";
import type { Tables } from "../schema.ts";
import { followNotifications } from "./follow-notifications.ts";
import { postgresError } from "./postgres-error.ts";
import { databaseName } from "./postgres-url.ts";

const CONNECTIONS = 10;
const CONNECT_TIMEOUT_MS = 10_000;
/** How long a transaction waits for the rows of others. */
const LOCK_TIMEOUT_MS = 30_000;
/** A process that is stopped in the midst of a transaction gives its locks back after this. */
const IDLE_TRANSACTION_TIMEOUT_MS = 15_000;
/** Deadlocks and serialization failures: PostgreSQL undid one transaction, which can be tried again. */
const TRY_AGAIN = new Set(["40P01", "40001"]);
const MAX_TRIES = 10;
/** "duch" in ASCII: the advisory lock under which the schema is changed. */
const SCHEMA_LOCK = 0x64756368;
const INT8 = 20;

/** A driver whose errors say that the database cannot be reached, when that is so. */
class NamingPostgresDriver extends PostgresDriver {
  readonly #name: string;
  readonly #seen = new WeakSet<DatabaseConnection>();

  constructor(pool: pg.Pool, name: string) {
    super({ pool });
    this.#name = name;
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    let connection: DatabaseConnection;
    try {
      connection = await super.acquireConnection();
    } catch (error) {
      throw postgresError(this.#name, error);
    }
    // Connections are used again.
    if (this.#seen.has(connection)) return connection;
    this.#seen.add(connection);
    const executeQuery = connection.executeQuery.bind(connection);
    connection.executeQuery = async <R>(...query: Parameters<typeof executeQuery>) => {
      try {
        return await executeQuery<R>(...query);
      } catch (error) {
        throw postgresError(this.#name, error);
      }
    };
    return connection;
  }
}

/**
 * Opens a PostgreSQL database and brings its tables up to date. Any number of processes may do so at once.
 *
 * @param url "postgres://user:password@host:port/database"
 * @throws {StoreUnavailableError} @throws {SchemaTooNewError}
 */
export async function openPostgres(url: string): Promise<Database> {
  const name = databaseName(url);
  const config: pg.PoolConfig = {
    connectionString: url,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    application_name: "duchenne",
    lock_timeout: LOCK_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_TRANSACTION_TIMEOUT_MS,
    // Times and counts stay below 2^53.
    types: {
      getTypeParser: (oid: number, format?: "text" | "binary") =>
        oid === INT8 ? Number : pg.types.getTypeParser(oid, format),
    },
  };
  const pool = new pg.Pool(config);
  // A connection that is lost, idle or in use, is replaced; the query on it or the next one tells.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  const kysely = new Kysely<Tables>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new NamingPostgresDriver(pool, name),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
  try {
    await migrate(kysely, name);
  } catch (error) {
    await kysely.destroy();
    throw error;
  }
  return {
    kysely,
    changes: createChanges(followNotifications(config)),
    async transaction(work) {
      for (let tries = 1; ; tries++) {
        try {
          return await kysely.transaction().execute(work);
        } catch (error) {
          const canTryAgain = error instanceof Error && "code" in error && TRY_AGAIN.has(String(error.code));
          if (!canTryAgain || tries === MAX_TRIES) throw error;
          await sleep(tries * 5);
        }
      }
    },
    forUpdate(query, { skipLocked = false } = {}) {
      const locked = query.forUpdate();
      return skipLocked ? locked.skipLocked() : locked;
    },
    async lock(tx, name) {
      await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(tx);
    },
    clock: sql`select (extract(epoch from clock_timestamp()) * 1000)::bigint as now`,
    close: () => kysely.destroy(),
  };
}

async function migrate(kysely: Kysely<Tables>, name: string): Promise<void> {
  await kysely.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(${SCHEMA_LOCK})`.execute(tx);
    await sql`create table if not exists duchenne_schema (version integer not null)`.execute(tx);
    const { rows } = await sql<{ version: number }>`select version from duchenne_schema`.execute(tx);
    const version = rows[0]?.version ?? 0;
    if (version > migrations.length) throw new SchemaTooNewError(name, version, migrations.length);
    for (const migration of migrations.slice(version)) await sql.raw(migration.postgres).execute(tx);
    await sql`delete from duchenne_schema`.execute(tx);
    await sql`insert into duchenne_schema values (${migrations.length})`.execute(tx);
  });
}
