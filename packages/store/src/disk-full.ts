/** Thrown when the disk has no room for what is to be stored. What was stored before is as it was. */
export class DiskFullError extends Error {
  readonly code = "resource_exhausted";
  readonly reason = "DISK_FULL";

  /** @param what had no room, such as "an upload" @param how the system's name of it, such as "ENOSPC" */
  constructor(what: string, how: string, cause: unknown) {
    super(
      `No room on the server's disk for ${what} (${how}). What was stored before is as it was; make room and try again.`,
      { cause },
    );
    this.name = "DiskFullError";
  }
}

/** No space, over quota, and larger than the process may write. */
const SYSTEM_CODES: readonly string[] = ["ENOSPC", "EDQUOT", "EFBIG"];

/** The error that says so when another one means that the disk is full; else that one. */
export function diskErrorFrom(what: string, error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const how = SYSTEM_CODES.find((each) => each === code);
  return how === undefined ? error : new DiskFullError(what, how, error);
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
