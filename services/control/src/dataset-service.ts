import { resolve } from "node:path";
import { openDataset } from "@duchenne/data";
import { DatasetService } from "@duchenne/proto";
import { type ServiceHandler, serviceHandler } from "@duchenne/rpc";
import { AlreadyExistsError, type Store } from "@duchenne/store";
import { allowedPath } from "./allowed-path.ts";
import { datasetFormat, datasetMessage, describeDataset } from "./describe-dataset.ts";
import { DEFAULT_PAGE_SIZE } from "./job-service.ts";
import { datasetName, parseDatasetName } from "./resource-name.ts";
import { submitJob } from "./submit-job.ts";
import { synthesisFrom } from "./synthesis-from.ts";

/** What the data set service needs beside the store. */
export interface DatasetServiceOptions {
  /** Folders that data sets may be registered from; relative names are taken below the first. */
  readonly roots: readonly string[];
  /** Failures that a synthesis may have. */
  readonly maxFailures: number;
}

/** Serves the store's data sets. */
export function createDatasetService(store: Store, { roots, maxFailures }: DatasetServiceOptions): ServiceHandler {
  return serviceHandler(DatasetService, {
    async registerDataset({ datasetId, directory, description, validateOnly, protocol, labelFiles }) {
      const folder = allowedPath("directory", resolve(roots[0]!, directory), roots);
      const source = {
        format: datasetFormat(protocol),
        labelFiles: labelFiles.map((file, i) => allowedPath(`label_files[${i}]`, resolve(folder, file), roots)),
      };
      if (await store.datasets.has(datasetId)) throw datasetExists(datasetId);
      const dataset = await openDataset(folder, source);
      const summary = describeDataset(dataset, { source, description: description || dataset.description });
      const record = { id: datasetId, directory: folder, description: summary };
      return datasetMessage(
        validateOnly ? { ...record, createTimeMs: Date.now() } : await store.datasets.register(record),
      );
    },

    async synthesizeDataset(request) {
      const { datasetId, requestId } = request;
      const synthesis = synthesisFrom(request);
      // A repeated request answers its job, also when that has made the data set meanwhile.
      if (requestId === "" && (await store.datasets.has(datasetId))) throw datasetExists(datasetId);
      return submitJob(store, request, {
        kind: "synthesize_dataset",
        spec: { dataset: datasetName(datasetId), synthesis },
        displayName: `SynthFACS ${datasetId}`,
        maxFailures,
      });
    },

    async listDatasets({ pageSize, pageToken }) {
      const page = { pageSize: pageSize || DEFAULT_PAGE_SIZE, pageToken };
      const { datasets, nextPageToken } = await store.datasets.list(page);
      return { datasets: datasets.map(datasetMessage), nextPageToken };
    },

    getDataset: async ({ name }) => datasetMessage(await store.datasets.get(parseDatasetName(name))),
  });
}

function datasetExists(id: string): AlreadyExistsError {
  return new AlreadyExistsError("DATASET_EXISTS", `There already is a data set "${id}"`);
}
