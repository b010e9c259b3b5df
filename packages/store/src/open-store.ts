import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Blobs, type Checkpoints, openBlobs, openCheckpoints } from "./blobs.ts";
import { createChanges } from "./changes.ts";
import { openDatabase } from "./database.ts";
import { createDatasets, type Datasets } from "./datasets.ts";
import { createEvaluations, type Evaluations } from "./evaluations.ts";
import { createJobs, type Jobs } from "./jobs.ts";
import { createModels, type Models } from "./models.ts";

/** Everything that outlives a process. */
export interface Store {
  readonly blobs: Blobs;
  readonly checkpoints: Checkpoints;
  readonly jobs: Jobs;
  readonly models: Models;
  readonly datasets: Datasets;
  readonly evaluations: Evaluations;
  /** One turn at once, then one after every change or series of changes, by any process, until the signal aborts. */
  changes(signal: AbortSignal): AsyncIterable<void>;
  close(): Promise<void>;
}

/**
 * Opens the store in a folder: a SQLite database and the blobs beside it. Several processes of one machine may share it.
 *
 *     const store = await openStore({ directory: "./duchenne-data" });
 *     const { job } = await store.jobs.create({ kind: "fine_tune", spec: {} });
 */
export async function openStore({ directory }: { readonly directory: string }): Promise<Store> {
  await mkdir(directory, { recursive: true });
  const database = await openDatabase(join(directory, "duchenne.sqlite"));
  const changes = createChanges(database.dataVersion);
  const checkpoints = openCheckpoints(join(directory, "checkpoints"));
  const db = database.kysely;
  return {
    blobs: openBlobs(join(directory, "blobs")),
    checkpoints,
    jobs: createJobs(db, checkpoints, changes.notify),
    models: createModels(db, changes.notify),
    datasets: createDatasets(db, changes.notify),
    evaluations: createEvaluations(db, changes.notify),
    changes: changes.watch,
    close: database.close,
  };
}
