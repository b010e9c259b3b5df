import { DiskFullError } from "../disk-full.ts";
import { StoreDamagedError, StoreRefusedError, StoreUnavailableError } from "../errors.ts";
import { isNetworkError, messageOf } from "../network-error.ts";

// Starts of SQLSTATE, of https://www.postgresql.org/docs/current/errcodes-appendix.html

const DISK_FULL = "53100";
/** Credentials and rights. */
const REFUSED = ["28", "42501"];
const DAMAGED = ["XX001", "XX002"];
/** Deadlocks and serialization failures: PostgreSQL undid one transaction, which can be tried again at once. */
const UNDONE = ["40P01", "40001"];
const UNAVAILABLE = [
  ...UNDONE,
  // Connections, no such database, no resources, a server that stops, an error of its system.
  ...["08", "3D", "53", "57P", "58"],
  // A lock not had in time, a statement out of time, a server that only reads until another has taken over, a session
  // that was ended because its transaction stood still.
  ...["55P03", "57014", "25006", "25P03", "25P04"],
];

/** What pg says without a code when a connection is lost or too slow. */
const LOST =
  /connection terminated|timeout expired|query read timeout|timeout exceeded when trying to connect|client has encountered a connection error|client was closed/i;
/** What pg says without a code when it cannot prove who it is. */
const UNPROVEN = /^SASL|SSL connection/;

/** The error of a query as the store's own, when the database, not the query, is the reason. */
export function postgresError(name: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const unavailable = () =>
    new StoreUnavailableError(`The database ${name} cannot be used: ${messageOf(error)}`, error);
  const refused = () => new StoreRefusedError(`The database ${name} refuses: ${error.message}`, error);
  const state = sqlState(error);
  if (state === undefined) {
    if (isNetworkError(error) || LOST.test(error.message)) return unavailable();
    return UNPROVEN.test(error.message) ? refused() : error;
  }
  const is = (starts: readonly string[]) => starts.some((start) => state.startsWith(start));
  if (state === DISK_FULL) return new DiskFullError(`the database ${name}`, "disk_full", error);
  if (is(REFUSED)) return refused();
  if (is(DAMAGED)) return new StoreDamagedError(`The database ${name} is damaged: ${error.message}`, error);
  return is(UNAVAILABLE) ? unavailable() : error;
}

/** True for what postgresError made of a transaction that was undone for another's sake. */
export function isUndone(error: unknown): boolean {
  return error instanceof StoreUnavailableError && UNDONE.includes(sqlState(error.cause) ?? "");
}

/** What the server answered; undefined when it did not. */
function sqlState(error: unknown): string | undefined {
  // Of Node's codes, "EPIPE" looks like one as well.
  const isServers = error instanceof Error && "severity" in error && "code" in error;
  return isServers && typeof error.code === "string" ? error.code : undefined;
}
