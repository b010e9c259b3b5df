import { readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDuchenneClient, type DuchenneClient, exportModel, importModel, waitForJob } from "@duchenne/client";
import { DatasetProtocol, ExportFormat, type Job, JobState } from "@duchenne/proto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { failureOf } from "./failure-of.ts";
import { grayImage } from "./photograph.ts";
import { type ServerProcess, startServer, temporaryFolder } from "./server-process.ts";

// A weight with one wrong bit would load, and score a little wrong, and nobody would know.
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let client: DuchenneClient;

const FACES = "datasets/faces";
const VERSION = "models/published/versions/1";
const WEIGHTS = fileURLToPath(new URL("../reference/fixtures/weights/detector.pth", import.meta.url));

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startServer("standalone", folder.path);
  client = createDuchenneClient({ address: `127.0.0.1:${server.grpcPort}` });
  const synthesis = { datasetId: "faces", subjects: 5, framesPerSubject: 14, imageSize: 48 };
  await waitForJob(client, (await client.datasets.synthesizeDataset(synthesis)).name);
});
afterAll(async () => {
  client.close();
  await server.end();
  await folder[Symbol.asyncDispose]();
});

const importDetector = async () => {
  const options = { model: "models/published", protocol: DatasetProtocol.BP4D, heads: 3 };
  return (await importModel(client, WEIGHTS, options)).modelVersion!;
};
const digestOf = ({ files }: Awaited<ReturnType<typeof importDetector>>, role: string) =>
  files.find((file) => file.role === role)!.digest;

/** As a disk does it: one bit, and size and times stay. */
async function flipOneBit(digest: string): Promise<void> {
  const path = join(folder.path, "blobs", digest.slice(0, 2), digest.slice(2));
  const { atime, mtime } = await stat(path);
  const bytes = await readFile(path);
  bytes[bytes.length >> 1]! ^= 1;
  await writeFile(path, bytes);
  await utimes(path, atime, mtime);
}

it("a version with one wrong bit in its file is served and computed with by nobody, until it is imported again", async () => {
  const image = await grayImage(32, 32);
  const detect = () => client.detector.detectFaces({ model: VERSION, image, imageIsCrop: true });
  const outcomes = async () => {
    const evaluation = await client.evaluator.createEvaluation({
      modelVersion: VERSION,
      dataset: FACES,
      bootstrapResamples: 20,
    });
    const projection = await client.evaluator.createProjection({ modelVersion: VERSION, dataset: FACES });
    const ended = async ({ name }: Job) => {
      await waitForJob(client, name).catch(() => {});
      return client.jobs.getJob({ name });
    };
    return Promise.all([ended(evaluation), ended(projection)]);
  };
  const imported = await importDetector();
  expect(imported.name).toBe(VERSION);
  const onnx = digestOf(imported, "onnx");
  await flipOneBit(onnx);

  expect(await failureOf(detect())).toMatchObject({
    code: "DataLoss",
    reason: "BLOB_DAMAGED",
    text: expect.stringContaining(`it is the file "onnx" of ${VERSION}`),
  });
  for (const { state, attempt, error } of await outcomes()) {
    expect([state, attempt, error?.reason]).toEqual([JobState.FAILED, 1, "BLOB_DAMAGED"]);
    expect(error!.message).toMatch(
      new RegExp(`^Blob ${onnx} holds other bytes, of sha256 \\w+; it is the file "onnx" of ${VERSION}$`),
    );
  }
  const output = join(folder.path, "exported");
  const exporting = () => exportModel(client, { name: VERSION, format: ExportFormat.ONNX }, output);
  expect(await failureOf(exporting())).toMatchObject({ code: "DataLoss", reason: "BLOB_DAMAGED" });
  expect(await readdir(output)).toEqual([]);

  const again = await importDetector();
  expect(digestOf(again, "onnx")).toBe(onnx);
  expect((await detect()).model?.name).toBe(VERSION);
  for (const { state, error } of await outcomes()) expect(state, error?.message).toBe(JobState.SUCCEEDED);
  await exporting();
});

it("a training from weights with one wrong bit fails and says whose they are", async () => {
  const imported = await importDetector();
  const safetensors = digestOf(imported, "safetensors");
  await flipOneBit(safetensors);
  const value = {
    dataset: FACES,
    model: "models/tuned",
    encoder: { initialModelVersion: imported.name },
    optimization: { epochs: 1, warmupEpochs: 0, batchSize: 16 },
  };
  const { name } = await client.trainer.createTrainingJob({ training: { case: "fineTune", value } });
  await waitForJob(client, name).catch(() => {});
  const { state, error } = await client.jobs.getJob({ name });
  expect([state, error?.reason]).toEqual([JobState.FAILED, "BLOB_DAMAGED"]);
  expect(error!.message).toContain(`Blob ${safetensors} holds other bytes`);
  expect(error!.message).toContain(`it is the file "safetensors" of ${imported.name}`);
});
