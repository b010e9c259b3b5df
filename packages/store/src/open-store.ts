import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Blobs, Checkpoints } from "./blobs.ts";
import { type Collected, type CollectOptions, collectGarbage } from "./collect-garbage.ts";
import { type CrossValidations, createCrossValidations } from "./cross-validations.ts";
import { createDatasets, type Datasets } from "./datasets.ts";
import { createEvaluations, type Evaluations } from "./evaluations.ts";
import { createFolders, type Folders } from "./folders/folders.ts";
import { undisturbedBy } from "./garbage-rules.ts";
import { createJobs, type Jobs } from "./jobs.ts";
import { createModels, type Models } from "./models.ts";
import { openObjects } from "./objects/open-objects.ts";
import { openDatabase } from "./open-database.ts";
import { tieTogether } from "./store-identity.ts";

/** Where a store is. */
export interface StoreLocation {
  /** A folder of this machine. It holds everything that the two below do not. */
  readonly directory: string;
  /** "postgres://user:password@host:port/database"; absent: SQLite in the folder, for one machine. */
  readonly database?: string | undefined;
  /** "s3://bucket/prefix"; absent: files in the folder. */
  readonly objects?: string | undefined;
  /** How much copies of data sets from a bucket may take of this machine's disk; default 200 GiB. */
  readonly datasetCacheBytes?: number | undefined;
}

const DATASET_CACHE_BYTES = 200 * 2 ** 30;

/** Everything that outlives a process. */
export interface Store {
  readonly blobs: Blobs;
  readonly checkpoints: Checkpoints;
  readonly jobs: Jobs;
  readonly models: Models;
  readonly datasets: Datasets;
  /** Absent where blobs are files of this machine: whoever can read those can read the folders themselves. */
  readonly folders?: Folders;
  readonly evaluations: Evaluations;
  readonly crossValidations: CrossValidations;
  /** One turn at once, then one after every change or series of changes, by any process, until the signal aborts. */
  changes(signal: AbortSignal): AsyncIterable<void>;
  /**
   * Removes what nothing refers to and what is old enough.
   *
   * @throws {StoreMismatchError} when the objects have come to belong to another database
   */
  collectGarbage(options?: CollectOptions): Promise<Collected>;
  close(): Promise<void>;
}

/**
 * Opens a store, which need not exist. By default it is a folder, which several processes of one machine may share; with
 * a PostgreSQL database and an S3 bucket, several machines may.
 *
 *     const store = await openStore({ directory: "./duchenne-data" });
 *     const { job } = await store.jobs.create({ kind: "fine_tune", spec: {} });
 *
 * @throws {StoreAddressError} @throws {StoreUnavailableError} @throws {SchemaTooNewError} @throws {StoreMismatchError}
 */
export async function openStore({
  directory,
  datasetCacheBytes: maxBytes = DATASET_CACHE_BYTES,
  ...addresses
}: StoreLocation): Promise<Store> {
  await mkdir(directory, { recursive: true });
  const database = await openDatabase(directory, addresses.database);
  let objects: Awaited<ReturnType<typeof openObjects>>;
  try {
    objects = await openObjects(directory, addresses.objects, undisturbedBy(database));
  } catch (error) {
    await database.close();
    throw error;
  }
  const { blobs, checkpoints } = objects;
  try {
    await tieTogether(database, objects);
  } catch (error) {
    await database.close();
    await objects.close();
    throw error;
  }
  return {
    blobs,
    checkpoints,
    jobs: createJobs(database, checkpoints),
    models: createModels(database, blobs),
    datasets: createDatasets(database, blobs),
    ...(addresses.objects !== undefined && {
      folders: createFolders({ blobs, directory: join(directory, "dataset-cache"), maxBytes }),
    }),
    evaluations: createEvaluations(database, blobs),
    crossValidations: createCrossValidations(database),
    changes: database.changes.watch,
    async collectGarbage(options = {}) {
      // Not every server lets only one of several databases claim at once: what is removed is gone for good.
      await tieTogether(database, objects);
      return collectGarbage(database, objects, options);
    },
    async close() {
      await database.close();
      await objects.close();
    },
  };
}
