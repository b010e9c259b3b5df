import { DatabaseSync } from "node:sqlite";
import { isBusy } from "../sqlite/sqlite-error.ts";

/** A lock that this process has on a file. The system ends it with the process, however that ends. */
export interface FileLock {
  release(): void;
}

/** A connection that nobody refers to would be closed, and its lock gone. */
const held = new Set<DatabaseSync>();

/**
 * Locks a file for everybody on this machine, without waiting. The file is made when there is none; it holds nothing and must
 * stay, and nothing else may open it. Node has no locks of files, SQLite does.
 *
 * @param mode any number may share a lock that nobody has exclusively
 * @returns undefined when another has a lock that allows no such one
 */
export function tryLock(path: string, mode: "shared" | "exclusive"): FileLock | undefined {
  const connection = new DatabaseSync(path, { timeout: 0 });
  try {
    // Nothing is written, and so nothing has to be kept for a process that is killed.
    connection.exec("pragma journal_mode = memory");
    connection.exec(mode === "exclusive" ? "begin exclusive" : "begin; select count(*) from sqlite_master");
  } catch (error) {
    connection.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
  held.add(connection);
  return {
    release() {
      if (held.delete(connection)) connection.close();
    },
  };
}
