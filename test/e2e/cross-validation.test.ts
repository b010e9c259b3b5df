import { readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { createDuchenneClient, type DuchenneClient, waitForJob, watchJob } from "@duchenne/client";
import { SYNTHFACS_ACTION_UNITS } from "@duchenne/data";
import {
  type CreateCrossValidationRequest,
  type CreateCrossValidationRequestSchema,
  type Job,
  type JobEvent,
  JobState,
  ReportFormat,
  SamplingUnit,
  Split,
} from "@duchenne/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { duchenneCommand } from "./duchenne-command.ts";
import { failureOf } from "./failure-of.ts";
import { type ServerProcess, startServer, temporaryFolder } from "./server-process.ts";

// Nothing is learned in so few steps of so small a model: what counts is which jobs run, and that the report is theirs.
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let client: DuchenneClient;

async function start(grpcPort = 0): Promise<void> {
  // What failed is not tried again by itself.
  const args = ["--max-attempts", "1", "--grpc-port", String(grpcPort)];
  server = await startServer("standalone", folder.path, { args });
  client = createDuchenneClient({ address: `127.0.0.1:${server.grpcPort}` });
}

beforeAll(async () => {
  folder = await temporaryFolder();
  await start();
  const synthesis = { datasetId: "faces", subjects: SUBJECTS, framesPerSubject: FRAMES, imageSize: 48 };
  await waitForJob(client, (await client.datasets.synthesizeDataset(synthesis)).name);
});
afterAll(async () => {
  client.close();
  await server.end();
  await folder[Symbol.asyncDispose]();
});

const SUBJECTS = 6;
const FRAMES = 16;
const FACES = "datasets/faces";
const RECIPE = {
  dataset: FACES,
  model: "models/folds",
  encoder: { variant: "micro", imageSize: 32, patchSize: 16 },
  augmentation: "none",
  split: { folds: 2, validationFraction: 0.3 },
  optimization: { epochs: 1, warmupEpochs: 0, batchSize: 16, baseLearningRate: 1e-3 },
};

/** The same as options. */
const SMALL = [
  ...["--variant", "micro", "--image-size", "32", "--patch-size", "16", "--augmentation", "none"],
  ...["--epochs", "1", "--warmup-epochs", "0", "--batch-size", "16", "--base-learning-rate", "0.001"],
];

type Request = Exclude<MessageInitShape<typeof CreateCrossValidationRequestSchema>, CreateCrossValidationRequest>;
const crossValidate = (request: Request = {}) =>
  client.evaluator.createCrossValidation({ fineTune: RECIPE, bootstrapResamples: 50, ...request });
const childrenOf = async ({ name }: Pick<Job, "name">) => {
  const { jobs } = await client.jobs.listJobs({ parent: name, pageSize: 100 });
  return jobs.toSorted((a, b) => a.displayName.localeCompare(b.displayName));
};
/** Waits for a job that somebody else starts. */
async function jobOfKind(kind: string): Promise<Job> {
  for (;;) {
    const found = (await client.jobs.listJobs({})).jobs.find((job) => job.kind === kind);
    if (found !== undefined) return found;
    await turn();
  }
}
const childStates = (events: readonly JobEvent[]) =>
  events.flatMap(({ event }) => (event.case === "child" ? event.value : []));

/** Follows a job to its end, or until an event is as wanted. */
async function follow({ name }: Pick<Job, "name">, until: (event: JobEvent) => boolean = () => false, afterEvent = 0n) {
  const events: JobEvent[] = [];
  for await (const event of watchJob(client, name, { afterEvent })) {
    events.push(event);
    if (until(event)) break;
  }
  return events;
}

const isChild = (event: JobEvent, state: JobState) => event.event.case === "child" && event.event.value.state === state;

describe("a cross-validation that cannot be", () => {
  const refused = (request: Request) => failureOf(crossValidate({ ...request, validateOnly: true }));
  afterAll(async () => {
    expect((await client.jobs.listJobs({})).jobs.filter(({ kind }) => kind !== "synthesize_dataset")).toEqual([]);
  });

  it("is refused by the fields of its recipe, and by those that it decides itself", async () => {
    const split = { ...RECIPE.split, fold: 1, testFraction: 0.5 };
    const given = { ...RECIPE, split, optimization: { ...RECIPE.optimization, seed: 3n } };
    expect(await refused({ fineTune: given })).toMatchObject({
      code: "InvalidArgument",
      reason: "INVALID_RECIPE",
      fields: ["fine_tune.split.fold", "fine_tune.split.test_fraction", "fine_tune.optimization.seed"],
    });
    expect(await refused({ fineTune: { ...RECIPE, split: {} } })).toMatchObject({
      fields: ["fine_tune.split.folds"],
      text: expect.stringContaining("the data set has none"),
    });
    const wrong = { ...RECIPE, optimization: { ...RECIPE.optimization, epochs: 1, warmupEpochs: 9 } };
    expect(await refused({ fineTune: wrong, seeds: [1n, 2n] })).toMatchObject({
      fields: ["fine_tune.optimization.warmup_epochs"],
    });
    expect(
      await refused({
        fineTune: { ...RECIPE, split: { folds: 6 } },
        seeds: Array.from({ length: 20 }, (_, i) => BigInt(i)),
      }),
    ).toMatchObject({
      text: expect.stringContaining("Expected at most 100 trainings, got 6 folds with 20 seeds each"),
    });
    expect(await refused({ fineTune: { ...RECIPE, dataset: "datasets/none" } })).toMatchObject({ code: "NotFound" });
    expect(await refused({ jobOptions: { after: ["jobs/none"] } })).toMatchObject({ code: "NotFound" });
    expect(await refused({ seeds: [1n, 1n] })).toMatchObject({ code: "InvalidArgument" });
    expect(await failureOf(client.evaluator.createCrossValidation({}))).toMatchObject({ code: "InvalidArgument" });
  });

  it("names the folds whose trainings cannot be", async () => {
    // Each training part has 3 subjects less their validation subject: too few frames for one step.
    const optimization = { ...RECIPE.optimization, batchSize: 2 * FRAMES + 1 };
    const failure = await refused({ fineTune: { ...RECIPE, optimization } });
    expect(failure.fields).toEqual(["fine_tune.optimization.batch_size"]);
    const uneven = { ...RECIPE, split: { folds: 4, validationFraction: 0 } };
    const some = await refused({
      fineTune: { ...uneven, optimization: { ...RECIPE.optimization, batchSize: 4 * FRAMES + 1 } },
    });
    expect(some.text).toMatch(/fold 1, seed 0: Expected at most the 64 frames of the training part, got 65/);
  });

  it("is told by the command without starting anything, else answered as it would be made", async () => {
    const recipe = ["--dataset", FACES, "--model", "models/folds", "--variant", "micro", "--batch-size", "8"];
    const dry = await duchenneCommand(
      server,
      "cross-validate",
      ...recipe,
      "--folds",
      "3",
      "--seeds",
      "4,5",
      "--dry-run",
    );
    expect(JSON.parse(dry.stdout)).toMatchObject({
      folds: 3,
      seeds: [4, 5],
      recipe: { split: { folds: 3, foldSeed: 4 }, optimization: { batchSize: 8 } },
    });
    const own = await duchenneCommand(server, "cross-validate", ...recipe, "--fold", "1", "--dry-run");
    expect(own).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("--fold") });
  });
});

describe("a cross-validation", () => {
  it("trains and evaluates each fold with each seed, also when its server is killed, and combines them", async () => {
    const [page, junit] = [join(folder.path, "folds.html"), join(folder.path, "folds.xml")];
    const what = ["--dataset", FACES, "--model", "models/folds", "--folds", "2", "--seeds", "1,2", "--identity"];
    const how = ["--priority", "2", "--html", page, "--junit", junit];
    const command = duchenneCommand(
      server,
      "cross-validate",
      ...what,
      ...SMALL,
      "--validation-fraction",
      "0.3",
      ...how,
    );
    const created = await jobOfKind("cross_validation");
    const children = await childrenOf(created);
    expect(children.map(({ displayName }) => displayName)).toEqual(
      [1, 2].flatMap((fold) =>
        [1, 2].flatMap((seed) => ["evaluation", "training"].map((what) => `Fold ${fold}, seed ${seed}: ${what}`)),
      ),
    );
    expect(children.every(({ priority, parent }) => priority === 2 && parent === created.name)).toBe(true);

    // Killed in the midst of a training, after one was done.
    let done = 0;
    const seen = await follow(created, (event) => {
      if (isChild(event, JobState.SUCCEEDED)) done++;
      return done >= 1 && isChild(event, JobState.RUNNING) && childStates([event])[0]!.displayName.endsWith("training");
    });
    client.close();
    await server.end("SIGKILL");
    await start(server.grpcPort);
    const rest = await follow(created, undefined, seen.at(-1)!.number);
    const events = [...seen, ...rest];
    expect(events.map(({ number }) => number)).toEqual(events.map((_, i) => BigInt(i + 1)));
    const job = await client.jobs.getJob({ name: created.name });
    expect(job.error?.message).toBeUndefined();
    expect(job).toMatchObject({ state: JobState.SUCCEEDED, progress: 1, attempt: 1 });
    const succeeded = childStates(events).filter(({ state }) => state === JobState.SUCCEEDED);
    expect(new Set(succeeded.map((child) => child.job)).size).toBe(8);
    expect(succeeded.length).toBe(8);
    const fractions = events.flatMap(({ event }) => (event.case === "progress" ? event.value.fraction : []));
    expect(fractions).toEqual(Array.from({ length: 8 }, (_, i) => (i + 1) / 8));

    const name = (job.result as { crossValidation: string }).crossValidation;
    const formats = [ReportFormat.HTML, ReportFormat.JUNIT];
    const report = await client.evaluator.getCrossValidation({ name, formats });
    expect(report).toMatchObject({ name, model: "models/folds", dataset: FACES, folds: 2, seeds: [1n, 2n] });
    expect(report).toMatchObject({ frames: SUBJECTS * FRAMES, subjects: SUBJECTS });
    expect(report.actionUnits.map(({ actionUnit }) => actionUnit)).toEqual([...SYNTHFACS_ACTION_UNITS]);
    expect(report.runs.map(({ fold, seed }) => [fold, Number(seed)])).toEqual([
      [1, 1],
      [2, 1],
      [1, 2],
      [2, 2],
    ]);
    const held = new Map<string, readonly string[]>();
    for (const run of report.runs) {
      const evaluation = await client.evaluator.getReport({ name: run.evaluation });
      expect(evaluation).toMatchObject({
        modelVersion: run.modelVersion,
        split: Split.HELD_OUT,
        frames: run.frames,
        intervalsOver: SamplingUnit.SUBJECTS,
      });
      expect(run.mean).toMatchObject({
        f1: evaluation.meanF1!.value,
        f1AtHalf: evaluation.meanF1AtHalf!.value,
        sweptF1: evaluation.sweptF1,
        auc: evaluation.macroAuc!.value,
      });
      const version = await client.models.getModelVersion({ name: run.modelVersion });
      expect(version.job).toBe(run.training);
      const { split, recipe, thresholds } = JSON.parse(version.cardJson);
      expect(recipe).toMatchObject({ split: { fold: run.fold }, optimization: { seed: Number(run.seed) } });
      expect(thresholds.some(({ origin }: { origin: string }) => origin === "validation")).toBe(true);
      held.set(`${run.fold} ${run.seed}`, split.testSubjects);
    }
    for (const seed of [1, 2]) {
      const all = [1, 2].flatMap((fold) => held.get(`${fold} ${seed}`)!);
      expect(new Set(all).size).toBe(SUBJECTS);
      expect(all.length).toBe(SUBJECTS);
    }
    expect(held.get("1 1")).toEqual(held.get("1 2"));

    const aucs = report.runs.map(({ mean }) => mean!.auc!);
    expect(report.mean!.auc!.mean).toBeCloseTo(aucs.reduce((a, b) => a + b) / 4, 12);
    const [one, two] = [(aucs[0]! + aucs[2]!) / 2, (aucs[1]! + aucs[3]!) / 2];
    expect(report.mean!.auc!.foldDeviation).toBeCloseTo(Math.abs(one - two) / Math.SQRT2, 12);
    expect(report.mean!.auc!.seedDeviation).toBeGreaterThan(0);
    const { value, lower, upper } = report.mean!.auc!.pooled!;
    expect(lower!).toBeLessThanOrEqual(value!);
    expect(upper!).toBeGreaterThanOrEqual(value!);
    expect(JSON.parse(report.json)).toMatchObject({ name, folds: 2, runs: [{ fold: 1 }, {}, {}, {}] });
    expect(report.markdown).toContain(`# Cross-validation of models/folds on ${FACES}`);
    expect(report.markdown).toContain("2 folds with seeds 1, 2: 4 trainings. 96 frames of 6 subjects");
    expect(report.html).toMatch(/^<!doctype html>.*<svg.*<svg/s);
    expect(report.junitXml).toContain('<testcase name="AU12"');

    // The command has watched it over the restart.
    const { code, stdout, stderr } = await command;
    expect({ code, stdout }).toEqual({ code: 0, stdout: report.markdown });
    expect(stdout).toContain("| Identity leakage (chance) |");
    expect(stderr).toContain("cross-validation: Fold 1, seed 1: training: SUCCEEDED");
    expect(await readFile(page, "utf8")).toBe(report.html);
    expect(await readFile(junit, "utf8")).toBe(report.junitXml);
    const missing = client.evaluator.getCrossValidation({ name: "crossValidations/none" });
    expect(await failureOf(missing)).toMatchObject({ code: "NotFound", reason: "CROSS_VALIDATION_NOT_FOUND" });
  }, 600_000);

  it("is cancelled with all that is part of it", async () => {
    const optimization = { ...RECIPE.optimization, epochs: 10_000 };
    const requestId = "6c0f7e0a-3a0e-4d3e-9c59-8f0f3a1d2b11";
    const request = { requestId, fineTune: { ...RECIPE, optimization }, seeds: [1n, 2n] };
    const checked = await crossValidate({ ...request, validateOnly: true });
    expect(checked).toMatchObject({ name: "", kind: "cross_validation" });
    const created = await crossValidate(request);
    expect(created.spec).toEqual(checked.spec);
    expect((await crossValidate(request)).name).toBe(created.name);
    const other = await failureOf(crossValidate({ ...request, evaluationResources: { gpu: 1 } }));
    expect(other).toMatchObject({ reason: "REQUEST_ID_REUSED" });
    await follow(created, (event) => isChild(event, JobState.RUNNING));
    expect((await client.jobs.cancelJob({ name: created.name })).state).toBe(JobState.CANCELLING);
    const events = await follow(created);
    expect(events.at(-1)!.event).toMatchObject({ case: "state", value: { state: JobState.CANCELLED } });
    const children = await childrenOf(created);
    expect(new Set(children.map(({ state }) => state))).toEqual(new Set([JobState.CANCELLED]));
    expect(children.filter(({ attempt }) => attempt > 0).length).toBe(1);
    expect(await failureOf(client.jobs.retryJob({ name: created.name }))).toMatchObject({ reason: "JOB_NOT_FAILED" });
  }, 300_000);

  it("fails when a part of it fails, says of which fold and why, and goes on with what is done", async () => {
    const what = ["--dataset", FACES, "--model", "models/again", "--folds", "2", "--validation-fraction", "0"];
    const started = await duchenneCommand(server, "cross-validate", ...what, ...SMALL, "--no-watch");
    expect(started).toMatchObject({ code: 0, stdout: expect.stringMatching(/^jobs\/\S+\n$/) });
    const name = started.stdout.trim();
    const evaluations = (await childrenOf({ name })).filter(({ kind }) => kind === "evaluation");
    for (const { name } of evaluations) await client.jobs.pauseJob({ name });
    let trained = 0;
    await follow({ name }, (event) => isChild(event, JobState.SUCCEEDED) && ++trained === 2);
    // The evaluation of the second fold finds no data set.
    const { directory } = await client.datasets.getDataset({ name: FACES });
    await client.jobs.resumeJob({ name: evaluations[0]!.name });
    await waitForJob(client, evaluations[0]!.name);
    await rename(directory, `${directory}-away`);
    await client.jobs.resumeJob({ name: evaluations[1]!.name });
    const events = await follow({ name });
    await rename(`${directory}-away`, directory);
    const failed = await client.jobs.getJob({ name });
    expect(failed).toMatchObject({ state: JobState.FAILED, error: { reason: "CROSS_VALIDATION_INCOMPLETE" } });
    const { error } = await client.jobs.getJob({ name: evaluations[1]!.name });
    expect(failed.error!.message).toContain("Expected 4 trainings and evaluations to succeed, 1 did not. ");
    expect(failed.error!.message).toContain(
      `Fold 2, seed 0: evaluation (${evaluations[1]!.name}) is FAILED (${error!.reason}): ${error!.message}`,
    );
    expect(childStates(events).findLast(({ state }) => state === JobState.FAILED)).toMatchObject({
      job: evaluations[1]!.name,
      error: { reason: error!.reason },
    });

    expect((await client.jobs.retryJob({ name })).state).toBe(JobState.QUEUED);
    const { result } = await waitForJob(client, name);
    const attempts = (await childrenOf({ name })).map(({ attempt }) => attempt);
    expect(attempts).toEqual([1, 1, 2, 1]);
    const report = await client.evaluator.getCrossValidation({ name: result!.crossValidation as string });
    expect(report.runs.map(({ fold }) => fold)).toEqual([1, 2]);
    expect(report.mean!.auc!.seedDeviation).toBeUndefined();
  }, 600_000);
});
