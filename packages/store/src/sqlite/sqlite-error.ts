import { DiskFullError } from "../disk-full.ts";
import { StoreDamagedError, StoreRefusedError, StoreUnavailableError } from "../errors.ts";

// The primary result codes of https://www.sqlite.org/rescode.html
const SQLITE_PERM = 3;
const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

/** The primary result code of an error of node:sqlite: extended ones, such as SQLITE_BUSY_SNAPSHOT, hold it in their low byte. */
function primaryCode(error: unknown): number | undefined {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number"
    ? error.errcode & 0xff
    : undefined;
}

/** True when another connection has the lock that was asked for. */
export function isBusy(error: unknown): boolean {
  return primaryCode(error) === SQLITE_BUSY;
}

/** The error of a statement as the store's own, when the database, not the statement, is the reason. */
export function sqliteError(path: string, error: unknown): unknown {
  const said = error instanceof Error ? error.message : String(error);
  switch (primaryCode(error)) {
    case SQLITE_FULL:
      return new DiskFullError("the database", "SQLITE_FULL", error);
    case SQLITE_BUSY:
    case SQLITE_IOERR:
      return new StoreUnavailableError(`The database ${path} cannot be used: ${said}`, error);
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return new StoreRefusedError(`The database ${path} cannot be opened for writing: ${said}`, error);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return new StoreDamagedError(`The database ${path} is damaged: ${said}`, error);
    default:
      return error;
  }
}
