import { join } from "node:path";
import type { Database } from "./database.ts";

/**
 * Opens the database behind an address; the folder's own SQLite file without one.
 *
 * @param address "postgres://user:password@host:port/database"
 * @throws {StoreAddressError} @throws {StoreUnavailableError} @throws {SchemaTooNewError}
 */
export async function openDatabase(directory: string, address: string | undefined): Promise<Database> {
  // Each driver is loaded only where it is used.
  if (address === undefined) {
    const { openSqlite } = await import("./sqlite/open-sqlite.ts");
    return openSqlite(join(directory, "duchenne.sqlite"));
  }
  const { openPostgres } = await import("./postgres/open-postgres.ts");
  return openPostgres(address);
}
