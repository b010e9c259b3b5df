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
import { isUndone, postgresError } from "./postgres-error.ts";
import { databaseName } from "./postgres-url.ts";
import { socketWithLimit } from "./silence-limit.ts";

const CONNECTIONS = 10;

/** How long a database may keep its callers waiting, in milliseconds. */
interface PostgresLimits {
  /** For a connection, a new one or one of those that are in use. */
  readonly connectMs: number;
  /** For the rows of other transactions. */
  readonly lockMs: number;
  /** For one statement, on the server; 0: without limit. */
  readonly statementMs: number;
  /** For any sign of the server while a connection is in use: longer than a statement. 0: without limit. */
  readonly silenceMs: number;
  /** A process that is stopped in the midst of a transaction gives its locks back after this. */
  readonly idleTransactionMs: number;
}

const LIMITS: PostgresLimits = {
  connectMs: 10_000,
  lockMs: 15_000,
  statementMs: 20_000,
  silenceMs: 25_000,
  idleTransactionMs: 15_000,
};
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
 * @param changed limits, for tests of them
 * @throws {StoreUnavailableError} @throws {StoreRefusedError} @throws {StoreDamagedError} @throws {SchemaTooNewError}
 */
export async function openPostgres(url: string, changed: Partial<PostgresLimits> = {}): Promise<Database> {
  const name = databaseName(url);
  const limits = { ...LIMITS, ...changed };
  // A migration may think for as long as it has to.
  const migrating = openPool(
    { ...poolConfig(url, { ...LIMITS, connectMs: limits.connectMs, statementMs: 0, silenceMs: 0 }), max: 1 },
    name,
  );
  try {
    await migrate(migrating, name);
  } finally {
    await migrating.destroy();
  }
  const config = poolConfig(url, limits);
  const kysely = openPool(config, name);
  return {
    kysely,
    changes: createChanges(followNotifications(config)),
    async transaction(work) {
      for (let tries = 1; ; tries++) {
        try {
          return await kysely.transaction().execute(work);
        } catch (error) {
          if (!isUndone(error) || tries === MAX_TRIES) throw error;
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

function poolConfig(url: string, limits: PostgresLimits): pg.PoolConfig {
  return {
    connectionString: url,
    max: CONNECTIONS,
    connectionTimeoutMillis: limits.connectMs,
    keepAlive: true,
    stream: () => socketWithLimit(limits.silenceMs),
    application_name: "duchenne",
    lock_timeout: limits.lockMs,
    statement_timeout: limits.statementMs,
    idle_in_transaction_session_timeout: limits.idleTransactionMs,
    // Times and counts stay below 2^53.
    types: {
      getTypeParser: (oid: number, format?: "text" | "binary") =>
        oid === INT8 ? Number : pg.types.getTypeParser(oid, format),
    },
  };
}

function openPool(config: pg.PoolConfig, name: string): Kysely<Tables> {
  const pool = new pg.Pool(config);
  // A connection that is lost, idle or in use, is replaced; the query on it or the next one tells.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  return new Kysely<Tables>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new NamingPostgresDriver(pool, name),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
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
