import { existsSync } from "node:fs";
import { cp, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import {
  archiveOfFolder,
  createDuchenneClient,
  type DuchenneClient,
  jobStateName,
  uploadDataset,
  waitForJob,
  watchJob,
} from "@duchenne/client";
import { openDataset, synthesizeDataset } from "@duchenne/data";
import { type Job, type JobEvent, JobState, Split } from "@duchenne/proto";
import { openStore } from "@duchenne/store";
import { type NetworkProxy, startProxy } from "@duchenne/store/test-drivers";
import { type PostgresServer, putObject, type S3Server, startPostgres, startS3 } from "@duchenne/store/test-servers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ProcessName, type ServerProcess, startServer, temporaryFolder } from "./server-process.ts";

// Machines with a folder each, a database and a bucket; nothing is learned in so few steps of so small a model.
interface Machine {
  readonly server: ServerProcess;
  readonly client: DuchenneClient;
  readonly directory: string;
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let postgres: PostgresServer;
let s3: S3Server;
let database: string;
let objects: string;
/** Stands between the training machine and the bucket. */
let network: NetworkProxy;
/** A folder that no machine has. */
let faces: string;
let trainer: Machine;
let evaluator: Machine;
const running = new Set<Machine>();

async function startMachine(process: ProcessName, directory: string, bucket: string, ...args: string[]) {
  const addresses = ["--database", database, "--objects", bucket];
  const server = await startServer(process, join(folder.path, directory), { args: [...addresses, ...args] });
  const client = createDuchenneClient({ address: `127.0.0.1:${server.grpcPort}` });
  const machine = { server, client, directory: join(folder.path, directory) };
  running.add(machine);
  return machine;
}
async function endMachine(machine: Machine, signal?: NodeJS.Signals): Promise<void> {
  running.delete(machine);
  machine.client.close();
  await machine.server.end(signal);
}
/** The only machine that has what trainings take. */
async function startTrainer(): Promise<void> {
  const bucket = objects.replace(
    encodeURIComponent(s3.endpoint),
    encodeURIComponent(`http://127.0.0.1:${network.port}`),
  );
  trainer = await startMachine("trainer", "training", bucket, "--resources", "gpu=1");
}

beforeAll(async () => {
  [folder, postgres, s3] = await Promise.all([temporaryFolder(), startPostgres(), startS3()]);
  network = await startProxy(Number(new URL(s3.endpoint).port));
  [database, objects] = [await postgres.createDatabase(), s3.createPrefix()];
  faces = join(folder.path, "faces");
  const options = { seed: 3, subjects: 6, framesPerSubject: 16, imageSize: 96, identityShortcut: 0 };
  await synthesizeDataset(faces, options);

  const first = await startMachine("trainer", "first", objects);
  await mkdir(join(first.directory, "import"), { recursive: true });
  await cp(faces, join(first.directory, "import", "faces"), { recursive: true });
  const registered = await first.client.datasets.registerDataset({ datasetId: "registered", directory: "faces" });
  const uploaded = await uploadDataset(first.client, await archiveOfFolder(faces), { datasetId: "uploaded" });
  const drawing = await first.client.datasets.synthesizeDataset({
    datasetId: "drawn",
    ...options,
    seed: 4n,
  });
  await waitForJob(first.client, drawing.name);
  const drawn = await first.client.datasets.getDataset({ name: "datasets/drawn" });
  const curation = { datasetId: "curated", directory: "faces", minSide: 64, size: 32 };
  await waitForJob(first.client, (await first.client.datasets.curateDataset(curation)).name);
  const curated = await first.client.datasets.getDataset({ name: "datasets/curated" });
  for (const set of [registered, uploaded, drawn, curated]) expect(set).toMatchObject({ stored: true, frames: 96 });
  // Nobody has its files any more.
  await endMachine(first);
  await rm(first.directory, { recursive: true });
  await startTrainer();
  evaluator = await startMachine("evaluator", "evaluation", objects);
});
afterAll(async () => {
  for (const machine of running) await endMachine(machine);
  await network.stop();
  await Promise.all([postgres.stop(), s3.stop()]);
  await folder[Symbol.asyncDispose]();
});

const train = (dataset: string, { validateOnly = false } = {}): Promise<Job> =>
  trainer.client.trainer.createTrainingJob({
    validateOnly,
    training: {
      case: "fineTune",
      value: {
        dataset,
        model: "models/m",
        encoder: { variant: "micro", imageSize: 32, patchSize: 16 },
        augmentation: "none",
        split: { validationFraction: 0 },
        optimization: { epochs: 1, warmupEpochs: 0, batchSize: 16 },
      },
    },
    jobOptions: { resources: { gpu: 1 } },
  });
async function follow({ name }: Pick<Job, "name">) {
  const events: JobEvent[] = [];
  for await (const event of watchJob(evaluator.client, name)) events.push(event);
  return { events, job: await evaluator.client.jobs.getJob({ name }) };
}
/** The blobs of a data set's labels and of its images. */
async function packsOf(id: string) {
  const store = await openStore({ directory: join(folder.path, "audit"), database, objects });
  const { files } = await store.datasets.get(id);
  const lines = (await store.blobs.get(files!)).toString().trimEnd().split("\n").slice(1);
  await store.close();
  return lines.map((line) => JSON.parse(line) as { readonly digest: string; readonly sizeBytes: number });
}
const copiesTold = (events: readonly JobEvent[]) =>
  events.flatMap(({ event }) =>
    event.case === "log" && event.value.text.startsWith("Copies ") ? event.value.text : [],
  );
const copiesOf = async ({ directory }: Machine) =>
  (await readdir(join(directory, "dataset-cache", "copies"))).toSorted();

it("a data set is trained and evaluated on by machines that never saw its folder, when the one that did is gone", async () => {
  const trained = await follow(await train("datasets/registered"));
  expect(trained.job.error?.message).toBeUndefined();
  expect(trained.job.state).toBe(JobState.SUCCEEDED);
  expect(copiesTold(trained.events)).toEqual([
    expect.stringMatching(/^Copies datasets\/registered to this machine: 98 files/),
  ]);
  const { modelVersion } = trained.job.result as { modelVersion: string };

  const evaluate = async (dataset: string) => {
    const request = { modelVersion, dataset, bootstrapResamples: 20 };
    const { result } = await waitForJob(
      evaluator.client,
      (await evaluator.client.evaluator.createEvaluation(request)).name,
    );
    return evaluator.client.evaluator.getReport({ name: result!.evaluation as string });
  };
  const { digest } = await openDataset(faces);
  // The same images by another way, so the part that was held out is known.
  for (const dataset of ["datasets/registered", "datasets/uploaded"]) {
    expect(await evaluate(dataset)).toMatchObject({ split: Split.HELD_OUT, datasetDigest: digest });
  }
  expect(await evaluate("datasets/drawn")).toMatchObject({ split: Split.ALL, frames: 96 });
  expect(await copiesOf(trainer)).toHaveLength(1);
  expect(await copiesOf(evaluator)).toHaveLength(3);

  const again = await follow(await train("datasets/registered"));
  expect(again.job.state).toBe(JobState.SUCCEEDED);
  expect(copiesTold(again.events)).toEqual([]);
}, 300_000);

it("a machine that is killed while it copies a data set goes on where it was", async () => {
  const before = await copiesOf(trainer);
  const [labels, images] = await packsOf("drawn");
  // What a request is checked by is here then.
  await train("datasets/drawn", { validateOnly: true });
  // Labels come through, and a part of the images.
  network.silence(labels!.sizeBytes + images!.sizeBytes / 2);
  const job = await train("datasets/drawn");
  const partial = join(trainer.directory, "dataset-cache", "partial");
  const begun = async () => (await readdir(partial).catch(() => [])).map((name) => join(partial, name));
  const isStalled = async () => (await begun()).some((path) => existsSync(join(path, "done", "0")));
  while (!(await isStalled())) await turn();
  // Events go their own way: what was told last is stored before the machine ends, or is lost with it.
  for await (const event of watchJob(evaluator.client, job.name)) if (copiesTold([event]).length > 0) break;
  await endMachine(trainer, "SIGKILL");
  expect(await copiesOf(trainer)).toEqual(before);
  network.restore();
  await startTrainer();
  const { events, job: ended } = await follow(job);
  expect(ended.state, ended.error?.message).toBe(JobState.SUCCEEDED);
  expect(ended.attempt).toBe(2);
  expect(copiesTold(events)).toHaveLength(2);
  expect(await begun()).toEqual([]);
  expect(await copiesOf(trainer)).toHaveLength(before.length + 1);
}, 300_000);

it("a data set whose stored images are torn fails a training by their name, and is whole when they are stored again", async () => {
  const [, images] = await packsOf("uploaded");
  const { digest } = images!;
  await putObject({ objects }, `blobs/${digest}`, Buffer.from("torn"));

  const { job } = await follow(await train("datasets/uploaded"));
  expect([jobStateName(job.state), job.attempt, job.error?.reason]).toEqual(["FAILED", 1, "BLOB_DAMAGED"]);
  expect(job.error!.message).toMatch(new RegExp(`^Blob ${digest} .*part 2 of 2 of a folder, with folder/`));

  await cp(faces, join(trainer.directory, "import", "faces"), { recursive: true });
  await trainer.client.datasets.registerDataset({ datasetId: "again", directory: "faces" });
  await trainer.client.jobs.retryJob({ name: job.name });
  const retried = await waitForJob(trainer.client, job.name);
  expect(retried.result).toHaveProperty("modelVersion");
}, 300_000);
