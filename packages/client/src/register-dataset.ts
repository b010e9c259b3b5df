import { posix } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Dataset, RegisterDatasetRequestSchema } from "@duchenne/proto";
import type { DuchenneClient } from "./duchenne-client.ts";

type RegisterDatasetRequest = Omit<MessageInitShape<typeof RegisterDatasetRequestSchema>, "$typeName">;

/**
 * Registers a folder of the server, however long it takes to read and to store: a call that was cut off by the server's longest
 * time for one is made again, and waits for what is under way.
 *
 * @throws {ConnectError} with every problem of the labels
 */
export async function registerDataset(
  { datasets }: Pick<DuchenneClient, "datasets">,
  request: RegisterDatasetRequest,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<Dataset> {
  const call = signal === undefined ? {} : { signal };
  for (let isAgain = false; ; isAgain = true) {
    try {
      return await datasets.registerDataset(request, call);
    } catch (error) {
      const code = error instanceof ConnectError ? error.code : undefined;
      if (code === Code.DeadlineExceeded) continue;
      if (!isAgain || code !== Code.AlreadyExists) throw error;
      // It was done between two calls, unless somebody else was faster.
      const registered = await datasets.getDataset({ name: `datasets/${request.datasetId}` }, call);
      if (!`/${registered.directory}`.endsWith(posix.join("/", request.directory ?? "").replace(/\/$/, "")))
        throw error;
      return registered;
    }
  }
}
