import { resolve } from "node:path";
import { DatasetService } from "@duchenne/proto";
import { type ServiceHandler, serviceHandler } from "@duchenne/rpc";
import type { Store } from "@duchenne/store";
import { allowedPath } from "./allowed-path.ts";
import { checkCuration } from "./curation/check-curation.ts";
import { datasetFormat, datasetMessage } from "./describe-dataset.ts";
import { DEFAULT_PAGE_SIZE } from "./job-service.ts";
import { registerFolder, requireFreeDatasetId } from "./register-folder.ts";
import { createRegistrations } from "./registrations.ts";
import { datasetName, parseDatasetName } from "./resource-name.ts";
import { submitJob } from "./submit-job.ts";
import { synthesisFrom } from "./synthesis-from.ts";
import type { DatasetUploads } from "./uploads/dataset-uploads.ts";
import { uploadMethods } from "./uploads/upload-methods.ts";

/** What the data set service needs beside the store. */
export interface DatasetServiceOptions {
  /** Folders that data sets may be registered from or made of; relative names are taken below the first. */
  readonly roots: readonly string[];
  /** Failures that a synthesis or a curation may have. */
  readonly maxFailures: number;
  /** Whether this machine runs the jobs that are made here; another one's programs are not known. */
  readonly runsHere: boolean;
  readonly uploads: DatasetUploads;
}

/** Serves the store's data sets. */
export function createDatasetService(
  store: Store,
  { roots, maxFailures, runsHere, uploads }: DatasetServiceOptions,
): ServiceHandler {
  const registrations = createRegistrations(store);
  return serviceHandler(DatasetService, {
    ...uploadMethods(uploads),

    async registerDataset({
      datasetId,
      directory,
      description,
      validateOnly,
      protocol,
      labelFiles,
      license,
      skipProblems,
    }) {
      const folder = allowedPath("directory", resolve(roots[0]!, directory), roots);
      const source = {
        format: datasetFormat(protocol),
        labelFiles: labelFiles.map((file, i) => allowedPath(`label_files[${i}]`, resolve(folder, file), roots)),
      };
      const given = { id: datasetId, directory: folder, source, description, license: license.trim() };
      const registering = validateOnly
        ? registerFolder(store, given, { validateOnly, skipProblems })
        : registrations.register(given);
      return datasetMessage(await registering);
    },

    synthesizeDataset: (request) =>
      submitJob(store, DatasetService.method.synthesizeDataset, request, async () => {
        const { datasetId, requestId } = request;
        const synthesis = synthesisFrom(request);
        // A request of an earlier release that is repeated answers its job, also when that has made the data set meanwhile.
        if (requestId === "") await requireFreeDatasetId(store, datasetId);
        return {
          kind: "synthesize_dataset",
          spec: { dataset: datasetName(datasetId), synthesis },
          displayName: `SynthFACS ${datasetId}`,
          maxFailures,
        };
      }),

    curateDataset: (request) =>
      submitJob(store, DatasetService.method.curateDataset, request, async () => {
        const { datasetId } = request;
        const spec = await checkCuration(request, { roots, runsHere });
        await requireFreeDatasetId(store, datasetId);
        return { kind: "curate_dataset", spec, displayName: `Curation of ${datasetId}`, maxFailures };
      }),

    async listDatasets({ pageSize, pageToken }) {
      const page = { pageSize: pageSize || DEFAULT_PAGE_SIZE, pageToken };
      const { datasets, nextPageToken } = await store.datasets.list(page);
      return { datasets: datasets.map(datasetMessage), nextPageToken };
    },

    async deleteDataset({ name }) {
      await store.datasets.delete(parseDatasetName(name));
      return {};
    },

    getDataset: async ({ name }) => datasetMessage(await store.datasets.get(parseDatasetName(name))),
  });
}
