import { cp, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createDuchenneClient, type DuchenneClient, waitForJob } from "@duchenne/client";
import { synthesizeDataset } from "@duchenne/data";
import { type Job, JobState } from "@duchenne/proto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { duchenneCommand } from "./duchenne-command.ts";
import { failureOf } from "./failure-of.ts";
import { type ServerProcess, startServer, temporaryFolder } from "./server-process.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let client: DuchenneClient;

const inImports = (...path: string[]) => join(folder.path, "import", ...path);
const FACES = { seed: 3, subjects: 6, framesPerSubject: 16, imageSize: 48, identityShortcut: 0 };

beforeAll(async () => {
  folder = await temporaryFolder();
  await mkdir(inImports(), { recursive: true });
  await synthesizeDataset(inImports("faces"), FACES);
  await synthesizeDataset(inImports("others"), { ...FACES, seed: 4 });
  server = await startServer("standalone", folder.path);
  client = createDuchenneClient({ address: `127.0.0.1:${server.grpcPort}` });
});
afterAll(async () => {
  client.close();
  await server.end();
  await folder[Symbol.asyncDispose]();
});

const register = (datasetId: string, directory = datasetId) =>
  client.datasets.registerDataset({ datasetId, directory });
const remove = (id: string) => client.datasets.deleteDataset({ name: `datasets/${id}` });
const gone = (id: string) => ({
  code: "NotFound",
  reason: "DATASET_NOT_FOUND",
  metadata: { name: `datasets/${id}` },
});

/** Nobody runs what takes a resource that no machine has. */
const NEVER = { resources: { nobodys: 1 } };
const recipe = (dataset: string) => ({
  dataset,
  model: "models/m",
  encoder: { variant: "micro", imageSize: 32, patchSize: 16 },
  augmentation: "none",
  split: { validationFraction: 0 },
  optimization: { epochs: 1, warmupEpochs: 0, batchSize: 8 },
});
const train = (dataset: string, jobOptions = {}) =>
  client.trainer.createTrainingJob({ training: { case: "fineTune", value: recipe(dataset) }, jobOptions });
const evaluate = (dataset: string, jobOptions = {}) =>
  client.evaluator.createEvaluation({
    modelVersion: "models/blendshape-au/versions/1",
    dataset,
    bootstrapResamples: 20,
    jobOptions,
  });

async function ended({ name }: Pick<Job, "name">): Promise<Job> {
  await waitForJob(client, name).catch(() => {});
  return client.jobs.getJob({ name });
}

it("a data set that a job needs is not deleted, whichever kind of job, and is when the job has ended", async () => {
  await register("needed", "faces");
  const dataset = "datasets/needed";
  const { split: _, ...fineTune } = recipe(dataset);
  const jobs = [
    () => train(dataset, NEVER),
    () => evaluate(dataset, NEVER),
    // Neither its parts nor itself run.
    () =>
      client.evaluator.createCrossValidation({
        fineTune: { ...fineTune, split: { folds: 2, validationFraction: 0 } },
        jobOptions: NEVER,
      }),
  ];
  for (const start of jobs) {
    const { name: job } = await start();
    expect(await failureOf(remove("needed"))).toMatchObject({
      code: "FailedPrecondition",
      reason: "DATASET_IN_USE",
      metadata: { name: dataset, job },
    });
    const { code, stderr } = await duchenneCommand(server, "datasets", "delete", dataset);
    expect(code).toBe(1);
    expect(stderr).toContain(`${dataset} is needed by ${job}`);
    await client.jobs.cancelJob({ name: job });
  }
  await remove("needed");
  expect(await failureOf(remove("needed"))).toMatchObject(gone("needed"));
  expect(await failureOf(train(dataset))).toMatchObject(gone("needed"));
  expect((await client.datasets.listDatasets({})).datasets).toEqual([]);
}, 300_000);

it("another data set under the same id is another one: for reports, and for jobs that are tried again", async () => {
  await cp(inImports("faces"), inImports("changing"), { recursive: true });
  const first = await register("faces", "changing");
  const before = await ended(await evaluate("datasets/faces"));
  expect(before.state, before.error?.message).toBe(JobState.SUCCEEDED);
  const [line] = (await readFile(inImports("changing", "manifest.jsonl"), "utf8")).split("\n");
  const { image } = JSON.parse(line!) as { image: string };
  await cp(inImports("others", image), inImports("changing", image));
  const failed = await ended(await train("datasets/faces"));
  expect([failed.state, failed.error?.reason]).toEqual([JobState.FAILED, "DATASET_CHANGED"]);

  await remove("faces");
  const retry = () => client.jobs.retryJob({ name: failed.name });
  expect(await failureOf(retry())).toMatchObject(gone("faces"));
  const second = await register("faces", "changing");
  expect(second.digest).not.toBe(first.digest);
  expect(await failureOf(retry())).toMatchObject({
    code: "FailedPrecondition",
    reason: "DATASET_REPLACED",
    metadata: { name: "datasets/faces", expected: first.digest, actual: second.digest },
  });
  expect((await client.jobs.getJob({ name: failed.name })).state).toBe(JobState.FAILED);

  const after = await ended(await evaluate("datasets/faces"));
  const names = [before, after].map(({ result }) => (result as { evaluation: string }).evaluation);
  for (const [i, { digest }] of [first, second].entries()) {
    const report = await client.evaluator.getReport({ name: names[i]! });
    expect(report).toMatchObject({ dataset: "datasets/faces", datasetDigest: digest });
  }
  const comparing = client.evaluator.compareEvaluations({ before: names[0]!, after: names[1]! });
  expect(await failureOf(comparing)).toMatchObject({ reason: "FRAMES_DIFFER" });

  // The same files are the same data set, wherever they lie.
  await remove("faces");
  await register("faces", "faces");
  await retry();
  const retried = await ended(failed);
  expect(retried.state, retried.error?.message).toBe(JobState.SUCCEEDED);
}, 300_000);
