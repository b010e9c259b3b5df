import { mkdir, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDuchenneClient, type DuchenneClient, importModel, watchJob } from "@duchenne/client";
import { synthesizeDataset } from "@duchenne/data";
import { readSafetensors } from "@duchenne/model";
import { DatasetProtocol, type Job, type JobEvent, JobState, Shuffle } from "@duchenne/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failureOf } from "./failure-of.ts";
import { grayImage } from "./photograph.ts";
import { type ServerOptions, type ServerProcess, startServer, temporaryFolder } from "./server-process.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let client: DuchenneClient;

async function start(options: ServerOptions = {}): Promise<void> {
  // What could go better another time is not tried again by itself.
  server = await startServer("trainer", folder.path, { args: ["--max-attempts", "1"], ...options });
  client = createDuchenneClient({ address: `127.0.0.1:${server.grpcPort}` });
}
async function stop(): Promise<void> {
  client.close();
  await server.end();
}

const IMAGE_SIZE = 96;
const RECIPE = {
  encoder: { variant: "micro" },
  augmentation: "none",
  lambda: 0,
  split: { validationFraction: 0 },
} as const;
const inImports = (...path: string[]) => join(folder.path, "import", ...path);

beforeAll(async () => {
  folder = await temporaryFolder();
  const faces = { seed: 3, subjects: 4, framesPerSubject: 16, imageSize: IMAGE_SIZE, identityShortcut: 0 };
  for (const name of ["faces", "torn"]) {
    await mkdir(inImports(), { recursive: true });
    await synthesizeDataset(inImports(name), faces);
  }
  await start();
  await client.datasets.registerDataset({ datasetId: "faces", directory: "faces" });
});
afterAll(async () => {
  await stop();
  await folder[Symbol.asyncDispose]();
});

const fineTune = (value: object, dataset = "datasets/faces") =>
  client.trainer.createTrainingJob({
    training: { case: "fineTune", value: { ...RECIPE, dataset, model: "models/m", ...value } },
  } as never);

/** Follows a job to its end, or until an event is as it should be. */
async function follow({ name }: Pick<Job, "name">, until: (event: JobEvent) => boolean = () => false) {
  const events: JobEvent[] = [];
  for await (const event of watchJob(client, name)) {
    events.push(event);
    if (until(event)) break;
  }
  return { events, job: await client.jobs.getJob({ name }) };
}

const stepsOf = (events: readonly JobEvent[], kind: "checkpoint" | "metrics") =>
  events.flatMap(({ event }) => (event.case === kind ? Number(event.value.step) : []));

/** The files of a job's checkpoints; temporary ones among them. */
async function checkpointFiles({ name }: Pick<Job, "name">): Promise<string[]> {
  const root = join(folder.path, "checkpoints", name.slice("jobs/".length));
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** The checkpoints that a job keeps, by their steps. */
async function checkpointsOf(job: Pick<Job, "name">) {
  const read = async (file: string) => ({ file, ...readSafetensors(await readFile(file)) });
  const all = await Promise.all((await checkpointFiles(job)).map(read));
  return new Map(
    all.map((checkpoint) => [JSON.parse(checkpoint.metadata.progress!).step as number, checkpoint] as const),
  );
}
/** The steps of the last two, in no order. */
const lastTwo = (steps: readonly number[]) => new Set(steps.slice(-2));

const failed = (job: Job) => ({ state: job.state, attempt: job.attempt, reason: job.error?.reason });

describe("what no training can be made of is refused by its field, and started by nobody", () => {
  const write = async (name: string, configuration: object, lines: readonly object[]) => {
    await mkdir(inImports(name), { recursive: true });
    await writeFile(inImports(name, "dataset.json"), JSON.stringify({ name, actionUnits: [12], ...configuration }));
    const named = lines.map((line, i) => ({ image: `${i}.png`, ...line }));
    for (const { image } of named) await writeFile(inImports(name, image), await grayImage(32, 32));
    await writeFile(inImports(name, "manifest.jsonl"), named.map((line) => JSON.stringify(line)).join("\n"));
    return client.datasets.registerDataset({ datasetId: name, directory: name });
  };
  /** Frames with and without AU12. */
  const frames = (subject: string, more: object = {}) =>
    [0, 3].map((intensity) => ({ subject, actionUnits: { 12: intensity }, ...more }));
  afterAll(async () => {
    expect((await client.jobs.listJobs({})).jobs).toEqual([]);
  });

  it("an action unit that is none", async () => {
    expect(await failureOf(write("unknown-unit", { actionUnits: [12, 3] }, frames("s1")))).toMatchObject({
      code: "InvalidArgument",
      reason: "INVALID_MANIFEST",
      text: expect.stringContaining("Unknown action unit 3"),
    });
  });
  it("a subject in two folds", async () => {
    const folds = { folds: [["s1", "s2"], ["s2"]] };
    expect(await failureOf(write("two-folds", folds, [...frames("s1"), ...frames("s2")]))).toMatchObject({
      code: "InvalidArgument",
      text: expect.stringContaining('"s2" stands in folds 1 and 2'),
    });
  });
  it("an empty part", async () => {
    await write("no-test", {}, [...frames("s1", { partition: "train" }), ...frames("s2", { partition: "train" })]);
    expect(await failureOf(fineTune({}, "datasets/no-test"))).toMatchObject({
      code: "FailedPrecondition",
      reason: "EMPTY_SPLIT",
      fields: ["fine_tune.dataset"],
      text: expect.stringContaining("Expected at least one frame in the test part, got none"),
    });
  });
  it("one class alone", async () => {
    const lines = ["s1", "s2", "s3", "s4"].map((subject) => frames(subject)[0]!);
    await write("one-class", {}, lines);
    expect(await failureOf(fineTune({ optimization: { batchSize: 2 } }, "datasets/one-class"))).toMatchObject({
      code: "InvalidArgument",
      reason: "INVALID_RECIPE",
      fields: ["fine_tune.dataset"],
      text: expect.stringContaining(
        "Expected frames with and without AU12 in the training part, got only some without",
      ),
    });
  });
  it("weights of another shape", async () => {
    const path = fileURLToPath(new URL("../reference/fixtures/weights/detector.pth", import.meta.url));
    const protocol = DatasetProtocol.BP4D;
    const { modelVersion } = await importModel(client, path, { model: "models/other", protocol, heads: 3 });
    const encoder = { variant: "micro", patchSize: 16, initialModelVersion: modelVersion!.name };
    const failure = await failureOf(fineTune({ encoder }));
    expect(failure).toMatchObject({
      code: "InvalidArgument",
      reason: "INVALID_RECIPE",
      text: expect.stringContaining('as the initial version has it, got "micro"'),
    });
    expect(failure.fields).toContain("fine_tune.encoder.variant");
  });
});

it("an image that cannot be read ends a training with its file, and what was reached stays", async () => {
  const manifest = inImports("torn", "manifest.jsonl");
  const lines = (await readFile(manifest, "utf8")).trim().split("\n");
  const parted = lines.map((line, i) => ({ ...JSON.parse(line), partition: i < 48 ? "train" : "test" }));
  await writeFile(manifest, parted.map((line) => JSON.stringify(line)).join("\n"));
  // In the third batch of the first epoch.
  const image: string = parted[20].image;
  await truncate(inImports("torn", image), 4_000);
  await client.datasets.registerDataset({ datasetId: "torn", directory: "torn" });
  const optimization = {
    epochs: 2,
    warmupEpochs: 0,
    batchSize: 8,
    shuffle: Shuffle.OFF,
    checkpointEverySteps: 1,
  };
  const { events, job } = await follow(await fineTune({ optimization }, "datasets/torn"));
  expect(failed(job)).toEqual({ state: JobState.FAILED, attempt: 1, reason: "UNREADABLE_IMAGE" });
  expect(job.error).toMatchObject({ code: "data_loss" });
  expect(job.error!.message).toMatch(/^manifest\.jsonl:21: Cannot read /);
  expect(job.error!.message).toContain(image);
  expect(stepsOf(events, "metrics")).toEqual([1, 2]);
  expect(stepsOf(events, "checkpoint")).toEqual([1, 2]);
  expect(new Set((await checkpointsOf(job)).keys())).toEqual(new Set([1, 2]));
}, 180_000);

it("a loss that is no number ends a training with the step and the last good checkpoint, which stays", async () => {
  // Each step multiplies the weights by 1 - 10.
  const optimization = {
    epochs: 40,
    warmupEpochs: 0,
    batchSize: 16,
    baseLearningRate: 10,
    minLearningRate: 10,
    layerDecay: 1,
    weightDecay: 1,
    checkpointEverySteps: 4,
  };
  const { events, job } = await follow(await fineTune({ optimization }));
  expect(failed(job)).toEqual({ state: JobState.FAILED, attempt: 1, reason: "NON_FINITE_LOSS" });
  const steps = stepsOf(events, "metrics");
  const saved = stepsOf(events, "checkpoint");
  const last = saved.at(-1)!;
  expect(job.error!.message).toMatch(/ became (NaN|-?Infinity) in step \d+\. /);
  expect(job.error!.message).toContain(
    `in step ${steps.at(-1)! + 1}. The last good checkpoint is that of step ${last}.`,
  );
  const checkpoints = await checkpointsOf(job);
  expect(new Set(checkpoints.keys())).toEqual(lastTwo(saved));
  const { parameters } = checkpoints.get(last)!;
  for (const [name, { data }] of parameters) expect(data.every(Number.isFinite), name).toBe(true);
}, 180_000);

describe("a torn checkpoint", () => {
  const optimization = { epochs: 4, warmupEpochs: 0, batchSize: 16, checkpointEverySteps: 1 };
  const weightsOf = async ({ result }: Job) => {
    const version = await client.models.getModelVersion({ name: result!.modelVersion as string });
    return version.files.find(({ role }) => role === "safetensors")!.digest;
  };
  let reference: string;
  let stepsPerEpoch: number;
  beforeAll(async () => {
    const { events, job } = await follow(await fineTune({ model: "models/straight", optimization }));
    reference = await weightsOf(job);
    stepsPerEpoch = stepsOf(events, "metrics").at(-1)! / optimization.epochs;
  });

  it.each([
    { torn: "the newest", count: 1 },
    { torn: "each that is kept", count: 2 },
  ])(
    "does not end a training, which makes the same weights: $torn",
    async ({ count }) => {
      const created = await fineTune({ model: `models/torn-${count}`, optimization });
      await follow(created, ({ event }) => event.case === "checkpoint" && event.value.step === 3n);
      await stop();
      const checkpoints = await checkpointsOf(created);
      const steps = [...checkpoints.keys()].sort((a, b) => b - a);
      for (const step of steps.slice(0, count)) await truncate(checkpoints.get(step)!.file, 100_000);

      await start();
      const { events, job } = await follow(created);
      expect(job).toMatchObject({ state: JobState.SUCCEEDED, attempt: 2 });
      expect(await weightsOf(job)).toBe(reference);
      const again = events.filter(({ attempt }) => attempt === 2);
      const warned = again.flatMap(({ event }) =>
        event.case === "log" && event.value.level === "warn" ? event.value.text : [],
      );
      expect(warned).toHaveLength(count);
      expect(warned[0]).toContain(`The checkpoint of step ${steps[0]} cannot be read`);
      expect(warned[0]).toContain(`goes on from that of step ${steps[1]}`);
      const from = count === 1 ? steps[1]! : 0;
      // What an epoch came to is told after the checkpoint of its last step.
      const isEpochsEnd = from > 0 && from % stepsPerEpoch === 0;
      expect(stepsOf(again, "metrics")[0]).toBe(isEpochsEnd ? from : from + 1);
      if (count === 2) expect(warned[1]).toMatch(/: starts from the beginning$/);
    },
    300_000,
  );
});

describe("a full disk", () => {
  it("ends a training at its last checkpoint, and an import with nothing; both go on when there is room", async () => {
    const optimization = { epochs: 8, warmupEpochs: 0, batchSize: 16, checkpointEverySteps: 1 };
    const created = await fineTune({ model: "models/whole", optimization });
    await follow(created, ({ event }) => event.case === "checkpoint" && event.value.step === 3n);
    await stop();

    // Half a checkpoint.
    await start({ maxFileKiB: 3 * 1024 });
    const { events, job } = await follow(created);
    expect(failed(job)).toEqual({ state: JobState.FAILED, attempt: 2, reason: "DISK_FULL" });
    expect(job.error).toMatchObject({
      code: "resource_exhausted",
      message: expect.stringMatching(/^No room on the server's disk for \d+ bytes \(EFBIG\)/),
    });
    const reached = stepsOf(events, "checkpoint").at(-1)!;
    const stored = events.flatMap(({ event }) => (event.case === "checkpoint" ? event.value : [])).at(-1)!;
    const checkpoints = await checkpointsOf(job);
    expect(new Set(checkpoints.keys())).toEqual(lastTwo(stepsOf(events, "checkpoint")));
    expect(basename(checkpoints.get(reached)!.file)).toBe(stored.digest.slice(2));

    const large = inImports("large.pth");
    await writeFile(large, Buffer.alloc(6 * 2 ** 20));
    const before = (await client.models.listModels({})).models.length;
    const options = { model: "models/late", protocol: DatasetProtocol.BP4D };
    expect(await failureOf(importModel(client, large, options))).toMatchObject({
      code: "ResourceExhausted",
      reason: "DISK_FULL",
      text: expect.stringContaining("an imported model (EFBIG)"),
    });
    expect(await readdir(join(folder.path, "imports"))).toEqual([]);
    expect((await client.models.listModels({})).models).toHaveLength(before);
    await stop();

    await start();
    expect(await failureOf(client.jobs.retryJob({ name: "jobs/none" }))).toMatchObject({ reason: "JOB_NOT_FOUND" });
    expect((await client.jobs.retryJob({ name: created.name })).state).toBe(JobState.QUEUED);
    const rest = await follow(created);
    expect(rest.job.error?.message).toBeUndefined();
    expect(rest.job).toMatchObject({ state: JobState.SUCCEEDED, attempt: 3 });
    const told = rest.events.flatMap(({ event }) => (event.case === "log" ? event.value.text : []));
    expect(told).toContain(`Continues after step ${reached} of ${3 * 8}`);
    expect(rest.job.result).toEqual({ modelVersion: "models/whole/versions/1" });
    expect(await failureOf(client.jobs.retryJob({ name: created.name }))).toMatchObject({ reason: "JOB_NOT_FAILED" });
  }, 300_000);
});
