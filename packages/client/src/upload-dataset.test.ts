import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { DatasetService } from "@duchenne/proto";
import { expect, it } from "vitest";
import { type DatasetArchive, uploadDataset } from "./upload-dataset.ts";

/** An archive that the server has already. */
const archive: DatasetArchive = {
  sizeBytes: 3,
  sha256: "0".repeat(64),
  read() {
    throw new Error("Expected nothing to be read");
  },
};

it("an upload whose data set takes longer to make than a call is asked for again until it is done", async () => {
  let calls = 0;
  const transport = createRouterTransport(({ service }) => {
    service(DatasetService, {
      createDatasetUpload: () => ({ name: "datasetUploads/faces", committedBytes: 3n }),
      finishDatasetUpload() {
        if (++calls < 3) throw new ConnectError("Its time was over", Code.DeadlineExceeded);
        return { name: "datasets/faces" };
      },
    });
  });
  const client = { datasets: createClient(DatasetService, transport) };
  expect(await uploadDataset(client, archive, { datasetId: "faces" }, { reconnectMs: 0 })).toMatchObject({
    name: "datasets/faces",
  });
  expect(calls).toBe(3);
});
