import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { createDuchenneClient, type DuchenneClient, JobNotSucceededError, waitForJob } from "@duchenne/client";
import { JobState } from "@duchenne/proto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ServerProcess, startServer, temporaryFolder } from "./server-process.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let client: DuchenneClient;

async function start(): Promise<void> {
  server = await startServer("trainer", folder.path);
  client = createDuchenneClient({ address: `127.0.0.1:${server.grpcPort}` });
}
async function end(signal?: NodeJS.Signals): Promise<void> {
  client.close();
  await server.end(signal);
}
beforeAll(async () => {
  folder = await temporaryFolder();
  await start();
});
afterAll(async () => {
  await end();
  await folder[Symbol.asyncDispose]();
});

/** Waits until the folder of data sets has what is wanted; a test that waits in vain ends by its time limit. */
async function untilFolders(are: (names: readonly string[]) => boolean): Promise<readonly string[]> {
  for (;;) {
    const names = (await readdir(join(folder.path, "datasets")).catch(() => [])).toSorted();
    if (are(names)) return names;
    await turn();
  }
}

it("what a killed synthesis has drawn is removed when its job has another attempt or has ended, and nothing before", async () => {
  // More than is drawn here.
  const request = { datasetId: "faces", subjects: 200, framesPerSubject: 1000, imageSize: 64 };
  const { name } = await client.datasets.synthesizeDataset(request);
  const drawingOf = (attempt: number) => `.faces-${name.slice("jobs/".length)}-${attempt}.partial`;
  await untilFolders((names) => names.includes(drawingOf(1)));
  await end("SIGKILL");
  await start();
  await untilFolders((names) => names.includes(drawingOf(2)));
  // Removed by the collection at a start, which finds a running synthesis now.
  await end("SIGKILL");
  await start();
  const names = await untilFolders((names) => !names.includes(drawingOf(1)) && names.includes(drawingOf(3)));
  expect(names.every((each) => [drawingOf(2), drawingOf(3)].includes(each))).toBe(true);
  const drawn = () => readdir(join(folder.path, "datasets", drawingOf(3)), { recursive: true });
  const before = await drawn();
  expect((await client.jobs.getJob({ name })).state).toBe(JobState.RUNNING);
  while ((await drawn()).length === before.length) await turn();

  await client.jobs.cancelJob({ name });
  await expect(waitForJob(client, name)).rejects.toBeInstanceOf(JobNotSucceededError);
  await end();
  await start();
  await untilFolders((names) => names.length === 0);
}, 120_000);
