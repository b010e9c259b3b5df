import { existsSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  archiveOfFolder,
  createDuchenneClient,
  type DuchenneClient,
  uploadDataset,
  waitForJob,
} from "@duchenne/client";
import { synthesizeDataset } from "@duchenne/data";
import { afterAll, beforeAll, expect, it } from "vitest";
import { duchenneCommand } from "./duchenne-command.ts";
import { failureOf } from "./failure-of.ts";
import { type ServerProcess, startServer, temporaryFolder } from "./server-process.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let client: DuchenneClient;

async function start(): Promise<void> {
  server = await startServer("trainer", folder.path);
  client = createDuchenneClient({ address: `127.0.0.1:${server.grpcPort}` });
}
/** What was being removed is gone then. */
async function end(): Promise<void> {
  client.close();
  await server.end();
}

const inImports = (...path: string[]) => join(folder.path, "import", ...path);
const FACES = { seed: 3, subjects: 2, framesPerSubject: 8, imageSize: 48, identityShortcut: 0 };

beforeAll(async () => {
  folder = await temporaryFolder();
  await mkdir(inImports(), { recursive: true });
  await synthesizeDataset(inImports("faces"), FACES);
  await synthesizeDataset(inImports("others"), { ...FACES, seed: 4 });
  await start();
});
afterAll(async () => {
  await end();
  await folder[Symbol.asyncDispose]();
});

const register = (datasetId: string, directory: string) => client.datasets.registerDataset({ datasetId, directory });
const upload = async (datasetId: string, from = "faces") =>
  uploadDataset(client, await archiveOfFolder(inImports(from)), { datasetId });
const remove = (id: string) => client.datasets.deleteDataset({ name: `datasets/${id}` });
/** Starts the server anew, which removes what is to go. */
async function collected(isGone: () => boolean): Promise<void> {
  await end();
  await start();
  await expect.poll(isGone, { timeout: 60_000 }).toBe(true);
}

it("a folder that was registered stays, and what the product wrote goes once nothing is registered on it", async () => {
  await register("registered", "faces");
  const kept = await upload("kept");
  const sent = await upload("sent", "others");
  const drawing = await client.datasets.synthesizeDataset({ datasetId: "drawn", ...FACES, seed: 5n });
  await waitForJob(client, drawing.name);
  const drawn = await client.datasets.getDataset({ name: "datasets/drawn" });
  for (const { managed } of [kept, sent, drawn]) expect(managed).toBe(true);
  // Another one on the same folder.
  const mine = await register("mine", kept.directory);
  expect(mine).toMatchObject({ digest: kept.digest, managed: false });

  const told = async (id: string) => (await duchenneCommand(server, "datasets", "delete", `datasets/${id}`)).stdout;
  expect(await told("registered")).toBe(
    `deleted datasets/registered; the folder ${inImports("faces")} was not touched\n`,
  );
  expect(await told("sent")).toBe(
    `deleted datasets/sent; its files in ${sent.directory} are removed within the hour, unless another data set is registered on them\n`,
  );
  await remove("kept");
  await remove("drawn");
  await collected(() => !existsSync(sent.directory) && !existsSync(drawn.directory));
  await end();
  expect(await readdir(join(folder.path, "datasets"))).toEqual([]);
  expect((await readdir(inImports("uploaded"))).map((name) => inImports("uploaded", name))).toEqual([kept.directory]);
  await start();
  // What is left is as it was, and so is what was registered from elsewhere.
  for (const directory of [kept.directory, "faces"]) {
    expect((await register("again", directory)).digest).toBe(kept.digest);
    await remove("again");
  }
  await remove("mine");
  await collected(() => !existsSync(kept.directory));

  // The same upload under the same id is a data set like any other.
  const again = await upload("kept");
  expect(again).toMatchObject({ digest: kept.digest, directory: kept.directory });
  await end();
  await start();
  expect((await register("mine", again.directory)).digest).toBe(kept.digest);
  await remove("kept");
  expect(await failureOf(upload("kept"))).toMatchObject({ code: "FailedPrecondition", reason: "UPLOAD_PLACE_TAKEN" });
  await client.datasets.deleteDatasetUpload({ name: "datasetUploads/kept" });
  expect((await register("check", again.directory)).digest).toBe(kept.digest);
}, 300_000);
