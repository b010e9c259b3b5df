import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import {
  createDuchenneClient,
  type DuchenneClient,
  exportModel,
  importModel,
  jobStateName,
  watchJob,
} from "@duchenne/client";
import {
  DatasetProtocol,
  ExportFormat,
  type JobEvent,
  type JobOptionsSchema,
  JobState,
  Precision,
} from "@duchenne/proto";
import { type PostgresServer, type S3Server, startPostgres, startS3 } from "@duchenne/store/test-servers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failureOf } from "./failure-of.ts";
import { type ProcessName, type ServerProcess, startServer, temporaryFolder } from "./server-process.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let postgres: PostgresServer;
let s3: S3Server;

beforeAll(async () => {
  [folder, postgres, s3] = await Promise.all([temporaryFolder(), startPostgres(), startS3()]);
});
afterAll(async () => {
  await Promise.all([postgres.stop(), s3.stop()]);
  await folder[Symbol.asyncDispose]();
});

describe("processes that share a database and a bucket, and nothing else", () => {
  const machines: { readonly server: ServerProcess; readonly client: DuchenneClient }[] = [];
  let addresses: readonly string[];
  /** A process with a folder of its own. */
  const startMachine = async (name: ProcessName, ...args: string[]) => {
    const directory = join(folder.path, `machine-${machines.length}`);
    const server = await startServer(name, directory, { args: [...addresses, ...args] });
    const client = createDuchenneClient({ address: `127.0.0.1:${server.grpcPort}` });
    machines.push({ server, client });
    return { server, client };
  };
  beforeAll(async () => {
    addresses = ["--database", await postgres.createDatabase(), "--objects", s3.createPrefix()];
    await startMachine("trainer", "--resources", "gpu=1");
    await startMachine("evaluator");
  });
  afterAll(async () => {
    for (const { server, client } of machines) {
      client.close();
      await server.end();
    }
  });

  it("read, promote and delete each other's models", async () => {
    const [{ client: trainer }, { client: evaluator }] = [machines[0]!, machines[1]!];
    const file = fileURLToPath(new URL("../reference/fixtures/weights/detector-bf16.pth", import.meta.url));
    const options = { model: "models/published", protocol: DatasetProtocol.BP4D, heads: 3 };
    const { modelVersion } = await importModel(trainer, file, options);
    const { name, files } = modelVersion!;
    const exported = { name, format: ExportFormat.SAFETENSORS };
    const here = await exportModel(trainer, exported, join(folder.path, "here"));
    const there = await exportModel(evaluator, exported, join(folder.path, "there"));
    expect((await readFile(there)).equals(await readFile(here))).toBe(true);
    const read = await evaluator.models.getModelVersion({ name });
    expect(read).toMatchObject({ files, digest: modelVersion!.digest });
    expect(read.digest).toMatch(/^[0-9a-f]{64}$/);

    const { etag } = await evaluator.models.setAlias({ name: "models/default@live", version: name });
    expect((await trainer.models.getModelVersion({ name: "models/default@live" })).name).toBe(name);
    const inUse = { code: "FailedPrecondition", reason: "MODEL_VERSION_IN_USE" };
    expect(await failureOf(trainer.models.deleteModelVersion({ name }))).toMatchObject(inUse);
    const builtIn = "models/blendshape-au/versions/1";
    await trainer.models.setAlias({ name: "models/default@live", version: builtIn, etag });
    await evaluator.models.deleteModelVersion({ name });
    // Where an alias pointed is remembered, also of what was deleted since.
    const parent = "models/default@live";
    const { aliasMoves, nextPageToken } = await evaluator.models.listAliasMoves({ parent, pageSize: 1 });
    expect(aliasMoves).toMatchObject([{ version: builtIn }]);
    const older = await trainer.models.listAliasMoves({ parent, pageToken: nextPageToken });
    expect(older).toMatchObject({ aliasMoves: [{ version: name, etag }], nextPageToken: "" });
    // One that is deleted by one is deleted for the other.
    await trainer.models.deleteAlias({ name: parent });
    expect(await failureOf(evaluator.models.getModelVersion({ name: parent }))).toMatchObject({ code: "NotFound" });
    const [removal] = (await evaluator.models.listAliasMoves({ parent, pageSize: 1 })).aliasMoves;
    expect(removal).toMatchObject({ version: "", etag: "3" });
    const unset = failureOf(trainer.models.listAliasMoves({ parent: "models/default@canary" }));
    expect(await unset).toMatchObject({ code: "NotFound", reason: "ALIAS_NOT_FOUND" });
    expect(await failureOf(trainer.models.getModelVersion({ name }))).toMatchObject({ code: "NotFound" });
    expect(await failureOf(trainer.models.deleteModelVersion({ name: builtIn }))).toMatchObject({
      reason: "BUILT_IN_MODEL",
    });
  });

  it("watch, pause, resume and cancel each other's jobs, and take over those of one that was killed", async () => {
    const [trainer, { client: evaluator }] = [machines[0]!, machines[1]!];
    const request = { datasetId: "faces", subjects: 10, framesPerSubject: 40, imageSize: 64 };
    const { name } = await trainer.client.datasets.synthesizeDataset(request);
    const seen: JobEvent[] = [];
    let successor: DuchenneClient | undefined;
    for await (const event of watchJob(evaluator, name)) {
      seen.push(event);
      const count = seen.filter(({ event: { case: kind } }) => kind === "progress").length;
      if (event.event.case === "progress" && count === 1) await evaluator.jobs.pauseJob({ name });
      if (isState(event, JobState.PAUSED)) await evaluator.jobs.resumeJob({ name });
      if (event.event.case === "progress" && event.attempt === 2 && successor === undefined) {
        await trainer.server.end("SIGKILL");
        successor = (await startMachine("trainer", "--resources", "gpu=1")).client;
      }
    }
    const states = seen.flatMap(({ event }) => (event.case === "state" ? jobStateName(event.value.state) : []));
    const paused = ["QUEUED", "RUNNING", "PAUSING", "PAUSED", "QUEUED", "RUNNING"];
    expect(states).toEqual([...paused, "RUNNING", "SUCCEEDED"]);
    expect(seen.map(({ number }) => Number(number))).toEqual(seen.map((_, i) => i + 1));
    const again: JobEvent[] = [];
    for await (const event of watchJob(successor!, name, { afterEvent: 3n })) again.push(event);
    expect(again).toEqual(seen.slice(3));
  });

  it("route jobs to a machine that has what they take, by priority, and after the jobs they wait for", async () => {
    const { client } = machines.at(-1)!;
    const train = (
      jobOptions: MessageInitShape<typeof JobOptionsSchema>,
      precision: Precision = Precision.UNSPECIFIED,
    ) =>
      client.trainer.createTrainingJob({
        training: {
          case: "fineTune",
          value: {
            dataset: "datasets/faces",
            model: "models/m",
            encoder: { variant: "micro" },
            optimization: { batchSize: 8, precision },
          },
        },
        validateOnly: precision !== Precision.UNSPECIFIED,
        jobOptions,
      });
    // Whatever this machine computes in: another one will train.
    expect(await train({ resources: { gpu: 2 } }, Precision.BFLOAT16)).toMatchObject({
      spec: { recipe: { optimization: { precision: "bfloat16" } } },
    });
    // No machine has as much: it waits.
    const first = await train({ resources: { gpu: 2 }, priority: 3, timeLimit: durationFromMs(60_000) });
    expect(first).toMatchObject({ state: JobState.QUEUED, priority: 3, resources: { gpu: 2 } });
    const second = await train({ after: [first.name] });
    expect(second).toMatchObject({ after: [first.name] });
    expect((await client.jobs.pauseJob({ name: first.name })).state).toBe(JobState.PAUSED);
    expect((await client.jobs.resumeJob({ name: first.name })).state).toBe(JobState.QUEUED);
    expect((await machines[1]!.client.jobs.cancelJob({ name: first.name })).state).toBe(JobState.CANCELLED);
    const failed = await client.jobs.getJob({ name: second.name });
    expect(failed).toMatchObject({ state: JobState.FAILED, attempt: 0, error: { reason: "DEPENDENCY_FAILED" } });
    expect(await failureOf(train({ after: [first.name] }))).toMatchObject({ reason: "DEPENDENCY_FAILED" });
    expect(await failureOf(client.jobs.pauseJob({ name: second.name }))).toMatchObject({ reason: "JOB_ENDED" });
    const wrong = failureOf(train({ resources: { "a gpu": 1 }, after: ["nobody"] }));
    expect(await wrong).toMatchObject({ code: "InvalidArgument" });
    const none = failureOf(train({ resources: { gpu: 0 } }));
    expect(await none).toMatchObject({ code: "InvalidArgument", fields: ['job_options.resources["gpu"]'] });
  });

  it("check how a job would be run, and answer it so, without starting it", async () => {
    const { client } = machines.at(-1)!;
    const draw = (request: { readonly validateOnly?: boolean; readonly requestId?: string }, jobOptions: object) =>
      client.datasets.synthesizeDataset({
        datasetId: "checked",
        subjects: 2,
        framesPerSubject: 1,
        imageSize: 32,
        jobOptions,
        ...request,
      });
    const before = (await client.jobs.listJobs({})).jobs.length;
    const options = { priority: 2, timeLimit: durationFromMs(60_000), resources: { gpu: 7 } };
    expect(await draw({ validateOnly: true }, options)).toMatchObject({ name: "", state: JobState.QUEUED, ...options });
    const after = ["jobs/none"];
    expect(await failureOf(draw({ validateOnly: true }, { after }))).toMatchObject({ reason: "JOB_NOT_FOUND" });
    expect((await client.jobs.listJobs({})).jobs).toHaveLength(before);
    const made = await draw({ requestId: "r" }, options);
    expect(made).toMatchObject(options);
    expect((await draw({ requestId: "r" }, options)).name).toBe(made.name);
    const reused = { code: "AlreadyExists", reason: "REQUEST_ID_REUSED" };
    expect(await failureOf(draw({ requestId: "r" }, { ...options, priority: 3 }))).toMatchObject(reused);
    expect(await failureOf(draw({ requestId: "r", validateOnly: true }, {}))).toMatchObject(reused);
    await client.jobs.cancelJob({ name: made.name });
  });
});

describe("a process whose store cannot be used", () => {
  const start = (...args: string[]) => startServer("evaluator", join(folder.path, "refused"), { args });

  it("says which and why, and ends", async () => {
    const database = "postgres://duchenne:secret@127.0.0.1:1/duchenne";
    await expect(start("--database", database)).rejects.toThrow(
      "ended with 1:\nduchenne evaluator could not start. The database postgres://duchenne@127.0.0.1:1/duchenne cannot be used: connect ECONNREFUSED",
    );
    await expect(start("--objects", s3.createPrefix().replace("duchenne-test", "no-such-bucket"))).rejects.toThrow(
      "answered 404 NoSuchBucket",
    );
    await expect(start("--objects", "/tmp/objects", "--resources", "gpu")).rejects.toThrow(
      'Expected amounts such as "gpu=1,memory_gib=64"',
    );
    await expect(start("--objects", "/tmp/objects")).rejects.toThrow("ended with 2:");
  });
});

function isState({ event }: JobEvent, state: JobState): boolean {
  return event.case === "state" && event.value.state === state;
}
