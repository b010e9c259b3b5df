import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Store } from "@duchenne/store";
import { isRemovalRest, removeUnusedFolder } from "../remove-unused-folder.ts";

/** Names as uploads give them: the data set's id, and what tells archives apart. */
const UNPACKED = /^(?<id>.+)-[0-9a-f]{16}$/;
const DIRECTORY = /.*\/uploaded\/(?<name>[^/]+)/;

/** How a collection of deleted uploads is made. */
interface CollectDeletedUploadsOptions {
  readonly signal: AbortSignal;
  /** Does the work on a folder when it is no upload's that goes on, while none begins; else answers false. */
  readonly inTurn: (id: string, name: string, work: () => Promise<boolean>) => Promise<boolean>;
}

/**
 * Removes what was unpacked for data sets that were deleted since. Nothing else is touched: what the database does not know to be
 * deleted may belong to another one.
 *
 * @param folder where uploads are unpacked
 * @returns the names of the folders
 */
export async function collectDeletedUploads(
  store: Store,
  folder: string,
  { signal, inTurn }: CollectDeletedUploadsOptions,
): Promise<readonly string[]> {
  // By their names: a data folder may be known by several paths.
  const deleted = new Set((await store.datasets.deletedFolders()).map((each) => DIRECTORY.exec(each)?.groups?.name));
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return [];
  });
  const removed: string[] = [];
  for (const name of names) {
    signal.throwIfAborted();
    const path = join(folder, name);
    if (isRemovalRest(name)) await rm(path, { recursive: true, force: true, maxRetries: 3 });
    const id = UNPACKED.exec(name)?.groups?.id;
    if (id === undefined || !deleted.has(name)) continue;
    if (await inTurn(id, name, () => removeUnusedFolder(store, path))) removed.push(name);
  }
  return removed;
}
