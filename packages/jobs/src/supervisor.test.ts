import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger } from "@duchenne/rpc";
import { hasEnded, type JobEvent, type JobRecord, type JsonObject, openStore, type Store } from "@duchenne/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSupervisor, type Supervisor, type SupervisorOptions } from "./index.ts";

let directory: string;
let store: Store;
let supervisors: Supervisor[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "duchenne-jobs-"));
  store = await openStore({ directory });
  supervisors = [];
});

afterEach(async () => {
  for (const supervisor of supervisors) await supervisor.close();
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

function supervise(options: Partial<SupervisorOptions> = {}): Supervisor {
  const supervisor = createSupervisor({
    store,
    dataDirectory: directory,
    kinds: { count: { attemptModule: new URL("../test-fixtures/attempt.ts", import.meta.url), slot: "cpu" } },
    slots: { cpu: 1 },
    logger: createLogger({ name: "test", level: "silent" }),
    ...options,
  });
  supervisors.push(supervisor);
  return supervisor;
}

const create = async (spec: JsonObject, maxFailures = 3) =>
  (await store.jobs.create({ kind: "count", spec, maxFailures })).job.id;

/** Waits until the job is as wanted. */
async function until(id: string, wanted: (job: JobRecord) => boolean): Promise<JobRecord> {
  for await (const _ of store.changes(AbortSignal.timeout(60_000))) {
    const job = await store.jobs.get(id);
    if (wanted(job)) return job;
  }
  throw new Error(`The job stayed ${JSON.stringify(await store.jobs.get(id))}`);
}
const ended = (id: string) => until(id, ({ state }) => hasEnded(state));

const metrics = (events: readonly JobEvent[]) =>
  events.flatMap((event) => (event.kind === "metrics" ? event.step : []));
const states = (events: readonly JobEvent[]) => events.flatMap((event) => (event.kind === "state" ? event.state : []));
const eventsOf = (id: string) => store.jobs.events(id, { after: 0, limit: 10_000 });

describe("a supervisor", () => {
  it("runs a job and stores what it reports", async () => {
    supervise();
    const id = await create({ steps: 5 });
    expect(await ended(id)).toMatchObject({ state: "SUCCEEDED", result: { step: 5 }, attempt: 1, progress: 1 });
    const events = await eventsOf(id);
    expect(metrics(events)).toEqual([1, 2, 3, 4, 5]);
    expect(states(events)).toEqual(["QUEUED", "RUNNING", "SUCCEEDED"]);
  });

  it("goes on from the last checkpoint after a crash", async () => {
    supervise();
    const id = await create({ steps: 6, crashAt: 4 });
    expect(await ended(id)).toMatchObject({ state: "SUCCEEDED", attempt: 2, failures: 1 });
    const events = await eventsOf(id);
    expect(metrics(events)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(states(events)).toEqual(["QUEUED", "RUNNING", "RETRY_WAIT", "RUNNING", "SUCCEEDED"]);
    const failure = events.find((event) => event.kind === "state" && event.state === "RETRY_WAIT");
    expect(failure).toMatchObject({
      error: { reason: "ATTEMPT_CRASHED", message: expect.stringContaining("SIGKILL") },
    });
  });

  it("does not try again what cannot succeed", async () => {
    supervise();
    const id = await create({ steps: 5, failAt: 2, failCode: "invalid_argument" });
    expect(await ended(id)).toMatchObject({
      state: "FAILED",
      attempt: 1,
      error: { code: "invalid_argument", reason: "TOLD_TO", message: "told to fail" },
    });
  });

  it("gives up after the allowed failures", async () => {
    supervise();
    const id = await create({ steps: 5, failAt: 2, failCode: "unavailable" }, 2);
    expect(await ended(id)).toMatchObject({ state: "FAILED", attempt: 2, failures: 2 });
  });

  it("stops a cancelled job at a checkpoint", async () => {
    supervise();
    const id = await create({ steps: 100_000, stepMs: 5 });
    await until(id, ({ checkpoint }) => checkpoint !== undefined);
    await store.jobs.requestCancel(id);
    expect((await ended(id)).state).toBe("CANCELLED");
    expect(states(await eventsOf(id))).toEqual(["QUEUED", "RUNNING", "CANCELLING", "CANCELLED"]);
  });

  it("kills a cancelled job that does not stop", async () => {
    supervise({ stopGraceMs: 100 });
    const id = await create({ steps: 100_000, stepMs: 5, ignoreStop: 1 });
    await until(id, ({ checkpoint }) => checkpoint !== undefined);
    await store.jobs.requestCancel(id);
    expect((await ended(id)).state).toBe("CANCELLED");
  });

  it("leaves its jobs to the next one when it is closed", async () => {
    const first = supervise();
    const id = await create({ steps: 60, stepMs: 10 });
    await until(id, ({ checkpoint }) => checkpoint !== undefined);
    await first.close();
    expect(await store.jobs.get(id)).toMatchObject({ state: "RUNNING", attempt: 1 });
    supervise();
    expect(await ended(id)).toMatchObject({ state: "SUCCEEDED", attempt: 2, failures: 0 });
    expect(metrics(await eventsOf(id))).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
  });

  it("runs as many attempts as there are slots", async () => {
    supervise({ slots: { cpu: 2 } });
    const ids = [];
    for (let i = 0; i < 4; i++) ids.push(await create({ steps: 10, stepMs: 20 }));
    for (const id of ids) await ended(id);
    const spans = (await Promise.all(ids.map((id) => store.jobs.get(id)))).map(({ startTimeMs, endTimeMs }) => [
      startTimeMs!,
      endTimeMs!,
    ]);
    const atOnce = spans.map(([start]) => spans.filter(([from, to]) => from! <= start! && start! < to!).length);
    expect(Math.max(...atOnce)).toBe(2);
  });

  it("takes over at once when the process of another was killed, and loses no event", async () => {
    const server = fork(new URL("../test-fixtures/server.ts", import.meta.url), [directory]);
    const id = await create({ steps: 150, stepMs: 10 });
    await until(id, ({ checkpoint }) => (checkpoint?.step ?? 0) > 5);
    server.kill("SIGKILL");
    await once(server, "exit");
    supervise({ leaseMs: 3_600_000 });
    const job = await ended(id);
    expect(job).toMatchObject({ state: "SUCCEEDED", attempt: 2, failures: 0 });
    const events = await eventsOf(id);
    expect(events.map(({ number }) => number)).toEqual(events.map((_, i) => i + 1));
    // The step whose checkpoint was not stored any more is done again; none is left out.
    expect([...new Set(metrics(events))]).toEqual(Array.from({ length: 150 }, (_, i) => i + 1));
  });
});
