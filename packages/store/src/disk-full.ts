/** Thrown when the disk has no room for what is to be stored. What was stored before is as it was. */
export class DiskFullError extends Error {
  readonly code = "resource_exhausted";
  readonly reason = "DISK_FULL";

  /** @param what had no room, such as "a checkpoint" */
  constructor(what: string, cause: unknown) {
    const how = (cause as { readonly code?: unknown }).code;
    super(
      `No room on the server's disk for ${what} (${how}). What was stored before is as it was; make room and try again.`,
      { cause },
    );
    this.name = "DiskFullError";
  }
}

/** No space, over quota, and larger than the process may write. */
const SYSTEM_CODES: readonly unknown[] = ["ENOSPC", "EDQUOT", "EFBIG"];
const SQLITE_FULL = 13;

/** The error that says so when another one means that the disk is full; else that one. */
export function diskErrorFrom(what: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  return SYSTEM_CODES.includes(code) || errcode === SQLITE_FULL ? new DiskFullError(what, error) : error;
}

/**
 * Does work that writes files.
 *
 *     await storing("an upload", () => writeFile(path, bytes));
 *
 * @param what it writes
 * @throws {DiskFullError} when there is no room for it @throws what the work throws
 */
export async function storing<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw diskErrorFrom(what, error);
  }
}
