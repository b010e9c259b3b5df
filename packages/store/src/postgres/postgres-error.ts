import { DiskFullError } from "../disk-full.ts";
import { StoreUnavailableError } from "../errors.ts";

/** What pg says of a connection without a code. */
const LOST =
  /connection terminated|timeout expired|timeout exceeded when trying to connect|client has encountered a connection error|Connection ended unexpectedly/i;
/** Starts of SQLSTATE: connections, wrong credentials, no such database, no resources, a server that stops, a lock not had. */
const AWAY = ["08", "28", "3D", "53", "57P", "55P03"];

const DISK_FULL = "53100";

/** The error of a query: StoreUnavailableError or DiskFullError when the database, not the query, is the reason. */
export function postgresError(name: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (code === DISK_FULL) return new DiskFullError(`the database ${name}`, "disk_full", error);
  const isSqlState = /^[0-9A-Z]{5}$/.test(code) && !code.startsWith("E");
  const away = isSqlState
    ? AWAY.some((start) => code.startsWith(start))
    : code.startsWith("E") || LOST.test(error.message);
  if (!away) return error;
  // Several addresses were tried: the message is in the parts.
  const parts = error instanceof AggregateError ? error.errors.map(String).join("; ") : error.message;
  return new StoreUnavailableError(`The database ${name} cannot be used: ${parts}`, error);
}
