import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { createDuchenneClient, type DuchenneClient, waitForJob, watchJob } from "@duchenne/client";
import {
  type CreateEvaluationRequest,
  type CreateEvaluationRequestSchema,
  type Job,
  JobState,
  ModelPrecision,
  Split,
} from "@duchenne/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { duchenneCommand } from "./duchenne-command.ts";
import { failureOf } from "./failure-of.ts";
import { grayImage } from "./photograph.ts";
import { type ServerProcess, startServer, temporaryFolder } from "./server-process.ts";

// Nothing is learned in so few steps of so small a model: what counts is what waits for what.
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let client: DuchenneClient;
/** Would train for hours, and waits for nothing else than to be resumed. */
let paused: Job;

const FACES = "datasets/faces";
const encoder = { variant: "micro", imageSize: 32, patchSize: 16 };
const optimization = { epochs: 1, warmupEpochs: 0, batchSize: 16, baseLearningRate: 1e-3 };
const fineTune = { dataset: FACES, model: "models/awaited", encoder, optimization, augmentation: "none" };

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startServer("standalone", folder.path, { args: ["--max-attempts", "1"] });
  client = createDuchenneClient({ address: `127.0.0.1:${server.grpcPort}` });
  for (const [datasetId, subjects] of [["faces", 6] as const, ["others", 3] as const]) {
    const synthesis = { datasetId, subjects, framesPerSubject: 16, imageSize: 48 };
    await waitForJob(client, (await client.datasets.synthesizeDataset(synthesis)).name);
  }
  paused = await train(9999);
  await client.jobs.pauseJob({ name: paused.name });
});
afterAll(async () => {
  client.close();
  await server.end();
  await folder[Symbol.asyncDispose]();
});

type Request = Exclude<MessageInitShape<typeof CreateEvaluationRequestSchema>, CreateEvaluationRequest>;
const train = (epochs = 1) =>
  client.trainer.createTrainingJob({
    training: { case: "fineTune", value: { ...fineTune, optimization: { ...optimization, epochs } } },
  });
let first: Promise<Job> | undefined;
/** A training that has succeeded. */
const trained = () => (first ??= train().then(({ name }) => waitForJob(client, name)));
const evaluate = (request: Request) =>
  client.evaluator.createEvaluation({ dataset: FACES, bootstrapResamples: 50, ...request });

describe("an evaluation of what a job will make", () => {
  it("is created right after its training, waits for it, and is of its version", async () => {
    const training = await train();
    const request = { requestId: "d8f3f9e2-53a7-4a6e-9a1c-0f4f1f6a3c01", trainingJob: training.name };
    const checked = await evaluate({ ...request, validateOnly: true });
    expect(checked).toMatchObject({ name: "", kind: "evaluation", after: [training.name] });
    const evaluation = await evaluate(request);
    expect(evaluation).toMatchObject({ state: JobState.QUEUED, after: [training.name] });
    expect(evaluation.spec).toEqual(checked.spec);
    const states: JobState[] = [];
    for await (const { event } of watchJob(client, evaluation.name)) {
      if (event.case === "state") states.push(event.value.state);
    }
    expect(states).toEqual([JobState.QUEUED, JobState.RUNNING, JobState.SUCCEEDED]);
    const [trained, evaluated] = [
      await client.jobs.getJob({ name: training.name }),
      await client.jobs.getJob({ name: evaluation.name }),
    ];
    expect(trained.state).toBe(JobState.SUCCEEDED);
    expect(Number(evaluated.startTime!.seconds)).toBeGreaterThanOrEqual(Number(trained.endTime!.seconds));
    const report = await client.evaluator.getReport({ name: evaluated.result!.evaluation as string });
    expect(report).toMatchObject({ modelVersion: trained.result!.modelVersion, split: Split.HELD_OUT });
    // Asked again when the training has long ended, it is the same evaluation.
    expect((await evaluate(request)).name).toBe(evaluation.name);
  });

  it("is one of the version that is there when the job has succeeded before", async () => {
    const training = await trained();
    const { result } = await waitForJob(client, (await evaluate({ trainingJob: training.name })).name);
    const report = await client.evaluator.getReport({ name: result!.evaluation as string });
    expect(report.modelVersion).toBe(training.result!.modelVersion);
  });

  it("is started by the command, which prints the report", async () => {
    const training = await train();
    const what = ["--training", training.name, "--dataset", FACES, "--split", "all", "--json"];
    const { code, stdout } = await duchenneCommand(server, "evaluate", ...what);
    expect(code).toBe(0);
    const { result } = await client.jobs.getJob({ name: training.name });
    expect(JSON.parse(stdout)).toMatchObject({ modelVersion: result!.modelVersion, split: "all" });
    const neither = await duchenneCommand(server, "evaluate", "--dataset", FACES);
    expect(neither).toMatchObject({ code: 3, stderr: expect.stringContaining("--model <name> or --training <job>") });
    const both = await duchenneCommand(server, "evaluate", ...what, "--model", "models/awaited/versions/1");
    expect(both).toMatchObject({ code: 3, stdout: "" });
  });

  it("is of a version in int8 when the job is a quantization", async () => {
    const training = await trained();
    const modelVersion = training.result!.modelVersion as string;
    const how = { calibrationFrames: 16, checkFrames: 16, maxMeanDifference: 0.5 };
    const quantization = await client.models.quantizeModel({ modelVersion, dataset: FACES, ...how });
    const { result } = await waitForJob(client, (await evaluate({ trainingJob: quantization.name })).name);
    const report = await client.evaluator.getReport({ name: result!.evaluation as string });
    expect(report.split).toBe(Split.HELD_OUT);
    const version = await client.models.getModelVersion({ name: report.modelVersion });
    expect(version).toMatchObject({ job: quantization.name, precision: ModelPrecision.INT8 });
  });

  it("fails with DEPENDENCY_FAILED when the training is cancelled, and is refused then", async () => {
    const training = await train(9999);
    const evaluation = await evaluate({ trainingJob: training.name });
    await client.jobs.cancelJob({ name: training.name });
    const ended = await failureOf(waitForJob(client, evaluation.name));
    expect(ended.text).toContain("ended as FAILED: It waited for job");
    const { state, error } = await client.jobs.getJob({ name: evaluation.name });
    expect({ state, error }).toMatchObject({
      state: JobState.FAILED,
      error: { reason: "DEPENDENCY_FAILED", message: expect.stringContaining("is CANCELLED") },
    });
    expect(await failureOf(evaluate({ trainingJob: training.name }))).toMatchObject({
      code: "FailedPrecondition",
      reason: "DEPENDENCY_FAILED",
    });
  });

  it("fails with DEPENDENCY_FAILED when the training fails, and both can be tried again", async () => {
    const training = await train();
    const evaluation = await evaluate({ trainingJob: training.name });
    await client.jobs.pauseJob({ name: training.name });
    for await (const { event } of watchJob(client, training.name)) {
      if (event.case === "state" && event.value.state === JobState.PAUSED) break;
    }
    const { directory } = await client.datasets.getDataset({ name: FACES });
    await rename(directory, `${directory}-away`);
    await client.jobs.resumeJob({ name: training.name });
    await failureOf(waitForJob(client, training.name));
    await rename(`${directory}-away`, directory);
    const failed = await client.jobs.getJob({ name: evaluation.name });
    expect(failed).toMatchObject({ state: JobState.FAILED, attempt: 0, error: { reason: "DEPENDENCY_FAILED" } });
    await client.jobs.retryJob({ name: training.name });
    await client.jobs.retryJob({ name: evaluation.name });
    const { result } = await waitForJob(client, evaluation.name);
    expect(result).toHaveProperty("evaluation");
  });
});

describe("an evaluation of what no job will make", () => {
  const refused = (request: Request) => failureOf(evaluate({ ...request, validateOnly: true }));

  it("is refused when it names no version and no job, or both", async () => {
    expect(await refused({})).toMatchObject({ code: "InvalidArgument", reason: "INVALID_REQUEST" });
    const both = { modelVersion: "models/awaited/versions/1", trainingJob: paused.name };
    expect(await refused(both)).toMatchObject({ code: "InvalidArgument", reason: "INVALID_REQUEST" });
    expect(await refused({ trainingJob: "awaited" })).toMatchObject({ fields: ["training_job"] });
  });

  it("is refused when there is no such job, or it makes nothing that can be evaluated", async () => {
    expect(await refused({ trainingJob: "jobs/none" })).toMatchObject({ code: "NotFound", reason: "JOB_NOT_FOUND" });
    const pretrain = { dataset: FACES, model: "models/mae", encoder, optimization };
    const pretraining = await client.trainer.createTrainingJob({ training: { case: "pretrain", value: pretrain } });
    await client.jobs.cancelJob({ name: pretraining.name });
    const [synthesis] = (await client.jobs.listJobs({})).jobs.filter(({ kind }) => kind === "synthesize_dataset");
    for (const { name, kind } of [pretraining, synthesis!]) {
      expect(await refused({ trainingJob: name })).toMatchObject({
        code: "InvalidArgument",
        reason: "NOT_EVALUABLE",
        fields: ["training_job"],
        text: expect.stringContaining(`${name} is a ${kind}`),
      });
    }
  });

  it("is refused for its data set before the version is there", async () => {
    const trainingJob = paused.name;
    expect(await refused({ trainingJob, dataset: "datasets/none" })).toMatchObject({ code: "NotFound" });
    const elsewhere = { trainingJob, dataset: "datasets/others" };
    expect(await refused({ ...elsewhere, split: Split.HELD_OUT })).toMatchObject({
      reason: "NO_HELD_OUT_PART",
      fields: ["split"],
    });
    expect((await evaluate({ ...elsewhere, validateOnly: true })).spec).toMatchObject({ split: "all" });

    await registerNobody("smiles", 12);
    await registerNobody("furrows", 11);
    expect(await refused({ trainingJob, dataset: "datasets/smiles", identityLeakage: true })).toMatchObject({
      reason: "NO_SUBJECTS",
      fields: ["identity_leakage"],
    });
    expect(await refused({ trainingJob, dataset: "datasets/furrows" })).toMatchObject({
      reason: "ACTION_UNIT_MISMATCH",
      fields: ["dataset"],
    });
  });
});

/** A data set of one frame of nobody, with the label of one action unit. */
async function registerNobody(datasetId: string, actionUnit: number): Promise<void> {
  const directory = join(folder.path, "import", datasetId);
  await mkdir(directory, { recursive: true });
  const dataset = { name: datasetId, actionUnits: [actionUnit], labels: "occurrence" };
  await writeFile(join(directory, "dataset.json"), JSON.stringify(dataset));
  await writeFile(join(directory, "a.png"), await grayImage(32, 32));
  const line = { image: "a.png", actionUnits: { [actionUnit]: 1 } };
  await writeFile(join(directory, "manifest.jsonl"), JSON.stringify(line));
  await client.datasets.registerDataset({ datasetId, directory: datasetId });
}
