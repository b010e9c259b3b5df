import { readdir, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { isRemovalRest, removeUnusedFolder } from "@duchenne/control";
import { GARBAGE_MIN_AGE_MS, hasEnded, type JobRecord, NotFoundError, type Store } from "@duchenne/store";

/** An attempt at a synthesis or a curation. */
interface Making {
  /** The job's. */
  readonly id: string;
  readonly attempt: number;
}

const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const DRAWN = new RegExp(`^(?<dataset>[^.].*)-(?<job>${UUID})$`);
const DRAWING = new RegExp(`^\\..+-(?<job>${UUID})-(?<attempt>\\d+)\\.partial$`);
const CURATING = new RegExp(`^\\..+-(?<job>${UUID})-(?<attempt>\\d+)\\.curating$`);
/** As earlier releases called it. */
const DRAWING_NAMELESS = new RegExp(`^\\.${UUID}\\.partial$`);

const folderOf = (dataDirectory: string): string => join(dataDirectory, "datasets");

/** Where the data set of a synthesis or a curation lies, whichever attempt has made it. */
export function drawnFolder(dataDirectory: string, dataset: string, { id }: Pick<Making, "id">): string {
  return join(folderOf(dataDirectory), `${dataset}-${id}`);
}

/** Where an attempt draws it first. */
export function drawingFolder(dataDirectory: string, dataset: string, { id, attempt }: Making): string {
  return join(folderOf(dataDirectory), `.${dataset}-${id}-${attempt}.partial`);
}

/** Where an attempt curates it first; the next attempt goes on with what is there. */
export function curatingFolder(dataDirectory: string, dataset: string, { id, attempt }: Making): string {
  return join(folderOf(dataDirectory), `.${dataset}-${id}-${attempt}.curating`);
}

/** The attempt of a job that curates in a folder of this name; undefined when none does. */
export function curatingAttempt(name: string, job: string): number | undefined {
  const found = CURATING.exec(name)?.groups;
  return found?.job === job ? Number(found.attempt) : undefined;
}

/**
 * Removes what syntheses and curations have left on this machine's disk: what an attempt was drawing that was killed, once
 * its job has ended or has another attempt, what was curated for a job that nobody goes on with, and what was made for a data
 * set that was never registered or was deleted. What another data set is registered on stays. Safe beside running ones.
 *
 * @returns the names of the folders
 */
export async function collectDrawnFolders(
  store: Store,
  dataDirectory: string,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const folder = folderOf(dataDirectory);
  const removed: string[] = [];
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return [];
  });
  for (const name of names) {
    signal?.throwIfAborted();
    // Read after the names: an attempt that drew then was the job's, and has ended when the job has now.
    if (!isRemovalRest(name) && !(await isLeft(store, folder, name))) continue;
    const path = join(folder, name);
    if (DRAWN.test(name)) {
      if (!(await removeUnusedFolder(store, path))) continue;
    } else await rm(path, { recursive: true, force: true, maxRetries: 3 });
    removed.push(name);
  }
  return removed;
}

/** Whether nobody goes on with a folder, and nobody ever will. */
async function isLeft(store: Store, folder: string, name: string): Promise<boolean> {
  const drawing = DRAWING.exec(name)?.groups;
  if (drawing !== undefined) {
    const job = await findJob(store, drawing.job!);
    return job !== undefined && (hasEnded(job.state) || job.attempt > Number(drawing.attempt));
  }
  const curating = CURATING.exec(name)?.groups;
  if (curating !== undefined) {
    const job = await findJob(store, curating.job!);
    // One that failed may be tried again, and goes on with what is there.
    return job !== undefined && hasEnded(job.state) && job.state !== "FAILED";
  }
  const drawn = DRAWN.exec(name)?.groups;
  if (drawn !== undefined) {
    const job = await findJob(store, drawn.job!);
    // One that failed may be tried again, and goes on with what is drawn.
    if (job === undefined || (job.state !== "SUCCEEDED" && job.state !== "CANCELLED")) return false;
    if (!(await store.datasets.has(drawn.dataset!))) return true;
    // By its name: a data folder may be known by several paths, and another machine may have drawn the same.
    return basename((await store.datasets.get(drawn.dataset!)).directory) !== name;
  }
  if (!DRAWING_NAMELESS.test(name)) return false;
  const stats = await stat(join(folder, name)).catch(() => undefined);
  return stats !== undefined && Date.now() - stats.mtimeMs > GARBAGE_MIN_AGE_MS;
}

/** Undefined when nobody here knows whose it is. */
async function findJob(store: Store, id: string): Promise<JobRecord | undefined> {
  try {
    return await store.jobs.get(id);
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}
