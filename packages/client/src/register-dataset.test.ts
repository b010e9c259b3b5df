import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { DatasetService } from "@duchenne/proto";
import { expect, it } from "vitest";
import { registerDataset } from "./register-dataset.ts";

const cutOff = new ConnectError("Its time was over", Code.DeadlineExceeded);
const exists = new ConnectError("There is one", Code.AlreadyExists);

/** A server that answers one call after the other. */
function server(answers: readonly (ConnectError | "made")[], directory = "/data/import/faces") {
  const left = [...answers];
  const transport = createRouterTransport(({ service }) => {
    service(DatasetService, {
      registerDataset() {
        const answer = left.shift();
        if (answer instanceof ConnectError) throw answer;
        return { name: "datasets/faces", digest: "made" };
      },
      getDataset: () => ({ name: "datasets/faces", digest: "found", directory }),
    });
  });
  return { datasets: createClient(DatasetService, transport), left };
}
const request = { datasetId: "faces", directory: "./faces" };

it("a registration that takes longer than a call is asked for again until it is done", async () => {
  const { left, ...client } = server([cutOff, cutOff, "made"]);
  expect((await registerDataset(client, request)).digest).toBe("made");
  expect(left).toEqual([]);
});

it("a registration that was done between two calls is read", async () => {
  expect((await registerDataset(server([cutOff, exists]), request)).digest).toBe("found");
});

it("a data set that was there before, or is somebody else's, is an error", async () => {
  await expect(registerDataset(server([exists]), request)).rejects.toMatchObject({ code: Code.AlreadyExists });
  const others = registerDataset(server([cutOff, exists], "/data/import/others"), request);
  await expect(others).rejects.toMatchObject({ code: Code.AlreadyExists });
});
