import { createDuchenneClient, waitForJob, watchJob } from "@duchenne/client";
import type { JobEvent } from "@duchenne/proto";
import { expect, it } from "vitest";
import { type ServerProcess, startServer, temporaryFolder } from "./server-process.ts";

it("a watch goes on over a kill and a restart of the server, without gap or double", async () => {
  await using folder = await temporaryFolder();
  let server: ServerProcess = await startServer("trainer", folder.path);
  const client = createDuchenneClient({ address: `127.0.0.1:${server.grpcPort}` });
  try {
    const job = await client.datasets.synthesizeDataset({
      datasetId: "faces",
      subjects: 8,
      framesPerSubject: 30,
      imageSize: 96,
    });
    const events: JobEvent[] = [];
    let restarted: Promise<ServerProcess> | undefined;
    for await (const event of watchJob(client, job.name)) {
      events.push(event);
      if (event.event.case === "progress" && restarted === undefined) {
        const args = ["--grpc-port", String(server.grpcPort)];
        restarted = server.end("SIGKILL").then(() => startServer("trainer", folder.path, { args }));
      }
    }
    server = await restarted!;
    expect(events.map(({ number }) => number)).toEqual(events.map((_, i) => BigInt(i + 1)));
    expect(new Set(events.map(({ attempt }) => attempt))).toEqual(new Set([0, 1, 2]));
    expect((await waitForJob(client, job.name)).result).toEqual({ dataset: "datasets/faces" });
    await expect(waitForJob(client, "jobs/none")).rejects.toThrow('There is no job "none"');
  } finally {
    client.close();
    await server.end();
  }
});
