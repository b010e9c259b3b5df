import { fork } from "node:child_process";
import { once } from "node:events";
import { createLogger } from "@duchenne/rpc";
import {
  hasEnded,
  type JobEvent,
  type JobRecord,
  type JsonObject,
  type NewJob,
  StoreUnavailableError,
} from "@duchenne/store";
import { type ContractDriver, contractDrivers, type StoreFixture, useStore } from "@duchenne/store/test-servers";
import { afterEach, describe, expect, it } from "vitest";
import { createResourcePool, createSupervisor, type Supervisor, type SupervisorOptions } from "./index.ts";

// What depends on several processes, on each way of keeping a store.
describe.each(contractDrivers)("a supervisor, with $name", (driver) => {
  const { fixture, supervise, create, until, ended, eventsOf } = useSupervisors(driver);

  it("runs a job and stores what it reports", async () => {
    supervise();
    const id = await create({ steps: 5 });
    expect(await ended(id)).toMatchObject({ state: "SUCCEEDED", result: { step: 5 }, attempt: 1, progress: 1 });
    const events = await eventsOf(id);
    expect(metrics(events)).toEqual([1, 2, 3, 4, 5]);
    expect(states(events)).toEqual(["QUEUED", "RUNNING", "SUCCEEDED"]);
  });

  it("takes over at once when the process of another was killed, and loses no event", async () => {
    const server = fork(new URL("../test-fixtures/server.ts", import.meta.url), [JSON.stringify(fixture.location)]);
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

  it("pauses a job at a checkpoint, and another one goes on from there", async () => {
    const first = supervise();
    const id = await create({ steps: 60, stepMs: 10 });
    await until(id, ({ checkpoint }) => (checkpoint?.step ?? 0) > 2);
    await fixture.store.jobs.requestPause(id);
    const paused = await until(id, ({ state }) => state === "PAUSED");
    expect(paused.checkpoint!.step).toBeLessThan(60);
    await first.close();
    await fixture.store.jobs.requestResume(id);
    supervise({ store: await fixture.openAgain(), location: driver.elsewhere(fixture.location) });
    expect(await ended(id)).toMatchObject({ state: "SUCCEEDED", attempt: 2, failures: 0 });
    const events = await eventsOf(id);
    expect(metrics(events)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    expect(states(events)).toEqual(["QUEUED", "RUNNING", "PAUSING", "PAUSED", "QUEUED", "RUNNING", "SUCCEEDED"]);
  });

  it("goes on when its connections are cut, and stores every event once", async () => {
    supervise();
    const id = await create({ steps: 60, stepMs: 10 });
    for (const step of [5, 20, 35]) {
      await persistently(() => until(id, ({ checkpoint }) => (checkpoint?.step ?? 0) > step));
      await driver.cutConnections(fixture.location);
    }
    const job = await persistently(() => ended(id));
    expect(job).toMatchObject({ state: "SUCCEEDED", attempt: 1, failures: 0 });
    const events = await persistently(() => eventsOf(id));
    expect(metrics(events)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    expect(states(events)).toEqual(["QUEUED", "RUNNING", "SUCCEEDED"]);
  });

  it("never lends more of the machine than there is, also not to two supervisors", async () => {
    const resources = createResourcePool({ gpu: 2 });
    for (let i = 0; i < 2; i++) supervise({ slots: { cpu: 4 }, resources });
    const gpus = [1, 2, 1, 1, 2, 1];
    const ids: string[] = [];
    for (const gpu of gpus) ids.push(await create({ steps: 10, stepMs: 5 }, { resources: { gpu } }));
    for (const id of ids) expect((await ended(id)).state).toBe("SUCCEEDED");
    const jobs = await Promise.all(ids.map((id) => fixture.store.jobs.get(id)));
    const taken = jobs.map(({ startTimeMs: at }) =>
      jobs
        .filter(({ startTimeMs, endTimeMs }) => startTimeMs! <= at! && at! < endTimeMs!)
        .reduce((sum, job) => sum + job.resources.gpu!, 0),
    );
    expect(Math.max(...taken)).toBe(2);
  });
});

describe("a supervisor", () => {
  const { fixture, supervise, create, until, ended, eventsOf } = useSupervisors(contractDrivers[0]!);

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
    const id = await create({ steps: 5, failAt: 2, failCode: "unavailable" }, { maxFailures: 2 });
    expect(await ended(id)).toMatchObject({ state: "FAILED", attempt: 2, failures: 2 });
  });

  it("stops a cancelled job at a checkpoint", async () => {
    supervise();
    const id = await create({ steps: 100_000, stepMs: 5 });
    await until(id, ({ checkpoint }) => checkpoint !== undefined);
    await fixture.store.jobs.requestCancel(id);
    expect((await ended(id)).state).toBe("CANCELLED");
    expect(states(await eventsOf(id))).toEqual(["QUEUED", "RUNNING", "CANCELLING", "CANCELLED"]);
  });

  it("kills a cancelled job that does not stop", async () => {
    supervise({ stopGraceMs: 100 });
    const id = await create({ steps: 100_000, stepMs: 5, ignoreStop: 1 });
    await until(id, ({ checkpoint }) => checkpoint !== undefined);
    await fixture.store.jobs.requestCancel(id);
    expect((await ended(id)).state).toBe("CANCELLED");
  });

  it("leaves its jobs to the next one when it is closed", async () => {
    const first = supervise();
    const id = await create({ steps: 60, stepMs: 10 });
    await until(id, ({ checkpoint }) => checkpoint !== undefined);
    await first.close();
    expect(await fixture.store.jobs.get(id)).toMatchObject({ state: "RUNNING", attempt: 1 });
    supervise();
    expect(await ended(id)).toMatchObject({ state: "SUCCEEDED", attempt: 2, failures: 0 });
    expect(metrics(await eventsOf(id))).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
  });

  it("runs as many attempts as there are slots", async () => {
    supervise({ slots: { cpu: 2 } });
    const ids = [];
    for (let i = 0; i < 4; i++) ids.push(await create({ steps: 10, stepMs: 20 }));
    for (const id of ids) await ended(id);
    const spans = (await Promise.all(ids.map((id) => fixture.store.jobs.get(id)))).map(({ startTimeMs, endTimeMs }) => [
      startTimeMs!,
      endTimeMs!,
    ]);
    const atOnce = spans.map(([start]) => spans.filter(([from, to]) => from! <= start! && start! < to!).length);
    expect(Math.max(...atOnce)).toBe(2);
  });

  it("ends a job that runs longer than it may, and does not try it again", async () => {
    supervise();
    const id = await create({ steps: 100_000, stepMs: 5 }, { timeLimitMs: 50 });
    expect(await ended(id)).toMatchObject({
      state: "FAILED",
      attempt: 1,
      error: { code: "deadline_exceeded", reason: "TIME_LIMIT_EXCEEDED" },
    });
  });

  it("starts a job after the one it waits for, which it can ask for what it made", async () => {
    supervise({ slots: { cpu: 2 } });
    const first = await create({ steps: 20, stepMs: 5 });
    const last = await create({ steps: 1 }, { after: [first], priority: 1 });
    expect(await ended(last)).toMatchObject({ state: "SUCCEEDED", result: { step: 21 } });
    const { endTimeMs } = await fixture.store.jobs.get(first);
    expect((await fixture.store.jobs.get(last)).startTimeMs).toBeGreaterThanOrEqual(endTimeMs!);
  });

  it("leaves jobs to others that need what this machine does not have", async () => {
    supervise({ resources: createResourcePool({ memory_gib: 8 }) });
    const large = await create({ steps: 1 }, { resources: { memory_gib: 9 }, priority: 1 });
    const small = await create({ steps: 1 }, { resources: { memory_gib: 8 } });
    expect((await ended(small)).state).toBe("SUCCEEDED");
    expect((await fixture.store.jobs.get(large)).state).toBe("QUEUED");
    supervise({ resources: createResourcePool({ memory_gib: 9 }) });
    expect((await ended(large)).state).toBe("SUCCEEDED");
  });
});

/** A store for each test, and supervisors that are closed before it. */
function useSupervisors(driver: ContractDriver) {
  const fixture = useStore(driver);
  const supervisors: Supervisor[] = [];
  // Before the fixture closes the store.
  afterEach(async () => {
    for (const supervisor of supervisors.splice(0)) await supervisor.close();
  });

  function supervise(options: Partial<SupervisorOptions> = {}): Supervisor {
    const supervisor = createSupervisor({
      store: fixture.store,
      location: fixture.location,
      kinds: { count: { attemptModule: new URL("../test-fixtures/attempt.ts", import.meta.url), slot: "cpu" } },
      slots: { cpu: 1 },
      logger: createLogger({ name: "test", level: "silent" }),
      ...options,
    });
    supervisors.push(supervisor);
    return supervisor;
  }

  const create = async (spec: JsonObject, options: Partial<NewJob> = {}) =>
    (await fixture.store.jobs.create({ kind: "count", spec, maxFailures: 3, ...options })).job.id;
  const until = (id: string, wanted: (job: JobRecord) => boolean) => jobThatIs(fixture, id, wanted);
  const ended = (id: string) => until(id, ({ state }) => hasEnded(state));
  const eventsOf = (id: string) => fixture.store.jobs.events(id, { after: 0, limit: 10_000 });
  return { fixture, supervise, create, until, ended, eventsOf };
}

/** Waits until the job is as wanted. */
async function jobThatIs({ store }: StoreFixture, id: string, wanted: (job: JobRecord) => boolean): Promise<JobRecord> {
  for await (const _ of store.changes(AbortSignal.timeout(60_000))) {
    const job = await store.jobs.get(id);
    if (wanted(job)) return job;
  }
  throw new Error(`The job stayed ${JSON.stringify(await store.jobs.get(id))}`);
}

function metrics(events: readonly JobEvent[]): readonly number[] {
  return events.flatMap((event) => (event.kind === "metrics" ? event.step : []));
}

function states(events: readonly JobEvent[]): readonly string[] {
  return events.flatMap((event) => (event.kind === "state" ? event.state : []));
}

/** Again and again, as callers do, until the store can be reached. */
async function persistently<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      expect(error).toBeInstanceOf(StoreUnavailableError);
    }
  }
}
