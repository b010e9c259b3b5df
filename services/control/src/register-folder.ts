import { openDataset } from "@duchenne/data";
import { AlreadyExistsError, type DatasetRecord, type Store } from "@duchenne/store";
import { type DatasetDescription, describeDataset } from "./describe-dataset.ts";
import { keepDataset } from "./keep-dataset.ts";

/** A folder that becomes a data set. */
export interface FolderToRegister {
  readonly id: string;
  /** Absolute. */
  readonly directory: string;
  readonly source: DatasetDescription["source"];
  /** What it is; empty for what the folder says of itself. */
  readonly description: string;
  /** What is known of its licence; empty for what the folder says of itself. */
  readonly license: string;
}

/**
 * Reads a folder, all of it, and registers it, on a store that machines share with its files.
 *
 * @param options with `validateOnly` it is only read; `skipProblems` are not listed, for they were before
 * @throws {AlreadyExistsError} @throws {ManifestError} with every problem and its line
 * @throws {DatasetChangedError} when it changes meanwhile
 */
export async function registerFolder(
  store: Store,
  { id, directory, source, description, license }: FolderToRegister,
  { validateOnly = false, skipProblems }: { readonly validateOnly?: boolean; readonly skipProblems?: number } = {},
): Promise<DatasetRecord> {
  await requireFreeDatasetId(store, id);
  const dataset = await openDataset(directory, { ...source, skipProblems });
  const summary = describeDataset(dataset, {
    source,
    description: description || dataset.description,
    license: license || dataset.license,
  });
  const record = { id, directory, description: summary };
  if (validateOnly) return { ...record, createTimeMs: Date.now() };
  const files = await keepDataset(store, { id, directory, source, digest: dataset.digest });
  return store.datasets.register({ ...record, files });
}

/** @throws {AlreadyExistsError} when there is a data set of this id */
export async function requireFreeDatasetId(store: Store, id: string): Promise<void> {
  if (await store.datasets.has(id)) {
    throw new AlreadyExistsError("DATASET_EXISTS", `There already is a data set "${id}"`);
  }
}
