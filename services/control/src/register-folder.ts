import { access } from "node:fs/promises";
import { openDataset } from "@duchenne/data";
import { AlreadyExistsError, type DatasetRecord, type Store } from "@duchenne/store";
import { type DatasetDescription, describeDataset } from "./describe-dataset.ts";
import { InvalidFieldError } from "./invalid-field-error.ts";
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
  /** The product wrote it for this data set. */
  readonly managed?: boolean;
}

/** Thrown when a folder has gone while it was read, such as one of a data set that was deleted. */
export class FolderGoneError extends InvalidFieldError {
  readonly reason = "FOLDER_GONE";

  constructor(directory: string) {
    super("directory", `Expected a folder that stays, ${directory} was removed while it was read`);
  }
}

/**
 * Reads a folder, all of it, and registers it, on a store that machines share with its files.
 *
 * @param options with `validateOnly` it is only read; `skipProblems` are not listed, for they were before
 * @throws {AlreadyExistsError} @throws {ManifestError} with every problem and its line
 * @throws {DatasetChangedError} when it changes meanwhile @throws {FolderGoneError}
 */
export async function registerFolder(
  store: Store,
  { id, directory, source, description, license, managed = false }: FolderToRegister,
  { validateOnly = false, skipProblems }: { readonly validateOnly?: boolean; readonly skipProblems?: number } = {},
): Promise<DatasetRecord> {
  await requireFreeDatasetId(store, id);
  const dataset = await openDataset(directory, { ...source, skipProblems });
  const summary = describeDataset(dataset, {
    source,
    description: description || dataset.description,
    license: license || dataset.license,
  });
  const { digest } = dataset;
  const record = { id, directory, description: summary, digest, managed };
  if (validateOnly) return { ...record, createTimeMs: Date.now() };
  const files = await keepDataset(store, { id, directory, source, digest });
  const confirm = () =>
    access(directory).catch(() => {
      throw new FolderGoneError(directory);
    });
  return store.datasets.register({ ...record, files, confirm });
}

/** @throws {AlreadyExistsError} when there is a data set of this id */
export async function requireFreeDatasetId(store: Store, id: string): Promise<void> {
  if (await store.datasets.has(id)) {
    throw new AlreadyExistsError("DATASET_EXISTS", `There already is a data set "${id}"`);
  }
}
