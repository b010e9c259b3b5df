import { existsSync } from "node:fs";
import { type Dataset, ManifestError, openDataset } from "@duchenne/data";
import type { DatasetRead, DatasetRecord, Folders, Store } from "@duchenne/store";
import { DatasetChangedError } from "./dataset-changed-error.ts";
import { datasetDescription } from "./describe-dataset.ts";
import { keptFiles, keptPlace } from "./keep-dataset.ts";
import { parseDatasetName } from "./resource-name.ts";

/** Thrown when a copy of a data set on this machine's disk does not become what it is a copy of. */
export class DatasetCopyError extends Error {
  readonly code = "data_loss";
  readonly reason = "DATASET_COPY_DAMAGED";

  constructor(name: string, expected: string, actual: string) {
    super(`Expected a copy of ${name} with digest ${expected}, it has ${actual}, also when it was made again`);
    this.name = "DatasetCopyError";
  }
}

/** How a copy of a data set is made, if one has to be. */
interface CopyUse {
  /** Ends it; it goes on from there the next time. */
  readonly signal?: AbortSignal;
  /** Called when it begins or goes on. */
  readonly onCopy?: (size: { readonly files: number; readonly sizeBytes: number }) => void;
}

/** What is known of a data set that was found. */
interface Found extends Pick<DatasetRecord, "directory" | "files"> {
  readonly name: string;
  readonly source: ReturnType<typeof datasetDescription>["source"];
  readonly digest: string;
  /** As it was registered. */
  readonly license?: string | undefined;
}

/**
 * Opens a registered data set to plan with it: its labels. Its images may lie elsewhere, and what was kept in the store decides,
 * whatever lies in a folder of the same name on this machine.
 *
 * @throws {NotFoundError} @throws {ManifestError}
 */
export async function openRegisteredLabels(store: Store, name: string, field = "dataset"): Promise<Dataset> {
  const found = await findDataset(store, name, field);
  const { directory, source, digest: knownDigest } = found;
  const kept = keptIn(store, found);
  if (kept === undefined) return openDataset(directory, { ...source, knownDigest, mayLeak: true });
  const place = keptPlace("/", found);
  const files = keptFiles(await kept.folders.read(kept.digest));
  return openDataset(place.directory, { ...source, labelFiles: place.labelFiles, files, knownDigest, mayLeak: true });
}

/**
 * Opens a registered data set to read all of it, on this machine: every image is read once and the digest compared. Its folder
 * is taken when it is here as it was registered, else the store's copy, which stays while this process runs. Its licence is the
 * registered one.
 *
 * @throws {NotFoundError} @throws {ManifestError} @throws {DatasetChangedError} @throws {BlobDamagedError}
 * @throws {DatasetCopyError} @throws {DiskFullError}
 */
export async function openRegisteredDataset(store: Store, name: string, use: CopyUse = {}): Promise<Dataset> {
  const found = await findDataset(store, name);
  const dataset = await openFound(store, found, use);
  return found.license === undefined ? dataset : { ...dataset, license: found.license };
}

async function openFound(store: Store, found: Found, use: CopyUse): Promise<Dataset> {
  const { name, directory, source, digest } = found;
  const kept = keptIn(store, found);
  if (kept === undefined) {
    const dataset = await openDataset(directory, { ...source, mayLeak: true });
    if (dataset.digest !== digest) throw new DatasetChangedError(name, digest, dataset.digest);
    return dataset;
  }
  const place = { directory, labelFiles: source.labelFiles };
  const here = existsSync(directory) ? await openOrProblem(found, place) : undefined;
  return typeof here === "object" && here.digest === digest ? here : openCopy(kept, found, use);
}

/** A data set that a job was planned on: it must stay, and stay the same, until the job has ended. */
export function datasetRead(name: string, { digest }: Pick<Dataset, "digest">): DatasetRead {
  return { id: parseDatasetName(name), digest };
}

async function openCopy(kept: Kept, found: Found, { signal, onCopy: onStart }: CopyUse): Promise<Dataset> {
  let actual = "";
  // What a disk has changed since it was copied is copied once more.
  for (let tries = 0; tries < 2; tries++) {
    const copy = await kept.folders.copy(kept.digest, { signal, onStart });
    const dataset = await openOrProblem(found, keptPlace(copy.path, found));
    if (typeof dataset === "object" && dataset.digest === found.digest) return dataset;
    actual = typeof dataset === "object" ? dataset.digest : dataset;
    await copy.discard();
  }
  throw new DatasetCopyError(found.name, found.digest, actual);
}

/** A data set in a place; what is wrong with it when it cannot be opened there. */
async function openOrProblem({ source }: Found, { directory, labelFiles }: ReturnType<typeof keptPlace>) {
  try {
    return await openDataset(directory, { ...source, labelFiles, mayLeak: true });
  } catch (error) {
    const isOfFiles = error instanceof ManifestError || (error instanceof Error && "syscall" in error);
    if (isOfFiles) return error.message;
    throw error;
  }
}

interface Kept {
  readonly folders: Folders;
  readonly digest: string;
}

/** What the store keeps of a data set's files, if it does, and if this process has that store. */
function keptIn({ folders }: Store, { files: digest }: Found): Kept | undefined {
  return digest === undefined || folders === undefined ? undefined : { folders, digest };
}

async function findDataset(store: Store, name: string, field = "dataset"): Promise<Found> {
  const record = await store.datasets.get(parseDatasetName(name, field));
  const { digest, source, license } = datasetDescription(record);
  const { directory, files } = record;
  return { name, directory, source, digest, license, ...(files !== undefined && { files }) };
}
