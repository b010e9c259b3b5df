import { type Dataset, openDataset } from "@duchenne/data";
import type { Store } from "@duchenne/store";
import { datasetDescription } from "./describe-dataset.ts";
import { parseDatasetName } from "./resource-name.ts";

/** Thrown when the files of a data set are not those that were registered. */
export class DatasetChangedError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "DATASET_CHANGED";

  constructor(name: string, expected: string, actual: string) {
    super(`Expected ${name} with digest ${expected}, its files have ${actual}. Register the folder under a new id.`);
    this.name = "DatasetChangedError";
  }
}

/**
 * Opens a registered data set.
 *
 * @param check reads every image again and compares the digest; without, only manifest and file names are looked at
 * @throws {NotFoundError} @throws {ManifestError} @throws {DatasetChangedError}
 */
export async function openRegisteredDataset(
  store: Store,
  name: string,
  { check, field = "dataset" }: { readonly check: boolean; readonly field?: string },
): Promise<Dataset> {
  const record = await store.datasets.get(parseDatasetName(name, field));
  const { digest, source } = datasetDescription(record);
  const dataset = await openDataset(record.directory, { ...source, ...(check ? {} : { knownDigest: digest }) });
  if (dataset.digest !== digest) throw new DatasetChangedError(name, digest, dataset.digest);
  return dataset;
}
