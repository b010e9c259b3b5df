import { posix } from "node:path";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { EmptySchema, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { CreateDatasetUploadRequest, DatasetService, DatasetUploadSchema } from "@duchenne/proto";
import type { ServiceImplementation } from "@duchenne/rpc";
import { datasetFormat, datasetMessage } from "../describe-dataset.ts";
import { InvalidFieldError } from "../invalid-field-error.ts";
import { datasetUploadName, parseDatasetUploadName } from "../resource-name.ts";
import { type DatasetUploads, UPLOAD_MAX_IDLE_MS } from "./dataset-uploads.ts";
import type { UploadPlan, UploadState } from "./upload-folder.ts";

/** Thrown when a folder or a label file would lie outside of the archive. */
export class OutsideOfArchiveError extends InvalidFieldError {
  readonly reason = "OUTSIDE_OF_ARCHIVE";

  constructor(field: string, path: string) {
    super(field, `Expected a place within the archive, got "${path}"`);
  }
}

/** Serves uploads: the methods of the data set service that are about them. */
export function uploadMethods(
  uploads: DatasetUploads,
): Pick<
  ServiceImplementation<typeof DatasetService>,
  "createDatasetUpload" | "writeDatasetUpload" | "getDatasetUpload" | "finishDatasetUpload" | "deleteDatasetUpload"
> {
  return {
    async createDatasetUpload(request) {
      const { datasetId } = request;
      return uploadMessage(datasetId, await uploads.begin(datasetId, planFrom(request)));
    },
    async writeDatasetUpload({ name, offset, chunk }) {
      const id = parseDatasetUploadName(name);
      return uploadMessage(id, await uploads.write(id, offset, chunk));
    },
    async getDatasetUpload({ name }) {
      const id = parseDatasetUploadName(name);
      return uploadMessage(id, await uploads.get(id));
    },
    async finishDatasetUpload({ name }) {
      return datasetMessage(await uploads.finish(parseDatasetUploadName(name)));
    },
    async deleteDatasetUpload({ name }) {
      await uploads.delete(parseDatasetUploadName(name));
      return create(EmptySchema);
    },
  };
}

function planFrom(request: CreateDatasetUploadRequest): UploadPlan {
  const { sizeBytes, sha256, description, license, protocol } = request;
  const directory = request.directory === "" ? "" : withinArchive("directory", request.directory);
  return {
    sizeBytes: Number(sizeBytes),
    sha256,
    description,
    license: license.trim(),
    format: datasetFormat(protocol),
    directory,
    labelFiles: request.labelFiles.map((file, i) => withinArchive(`label_files[${i}]`, file, directory)),
  };
}

/** The way from the archive's root. */
function withinArchive(field: string, path: string, from = ""): string {
  const way = posix.normalize(posix.join(from, path));
  if (posix.isAbsolute(path) || way === ".." || way.startsWith("../") || path.includes("\0")) {
    throw new OutsideOfArchiveError(field, path);
  }
  return way;
}

function uploadMessage(
  id: string,
  { plan, committedBytes, timeMs }: UploadState,
): MessageInitShape<typeof DatasetUploadSchema> {
  return {
    name: datasetUploadName(id),
    committedBytes: BigInt(committedBytes),
    sizeBytes: BigInt(plan.sizeBytes),
    sha256: plan.sha256,
    expireTime: timestampFromMs(Math.floor(timeMs) + UPLOAD_MAX_IDLE_MS),
  };
}
