import { once } from "node:events";
import { type JobRecord, StoreUnavailableError } from "@duchenne/store";
import { contractDrivers } from "@duchenne/store/test-servers";
import { describe, expect, it } from "vitest";
import { metrics, states, useSupervisors } from "../test-fixtures/use-supervisors.ts";
import { createResourcePool } from "./index.ts";

// What depends on several processes, on each way of keeping a store.
describe.each(contractDrivers)("a supervisor, with $name", (driver) => {
  const { fixture, supervise, startServer, create, until, ended, eventsOf } = useSupervisors(driver);

  it("runs a job and stores what it reports", async () => {
    supervise();
    const id = await create({ steps: 5 });
    expect(await ended(id)).toMatchObject({ state: "SUCCEEDED", result: { step: 5 }, attempt: 1, progress: 1 });
    const events = await eventsOf(id);
    expect(metrics(events)).toEqual([1, 2, 3, 4, 5]);
    expect(states(events)).toEqual(["QUEUED", "RUNNING", "SUCCEEDED"]);
  });

  it("takes over at once when the process of another was killed, and loses no event", async () => {
    const server = startServer();
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

  it.each([
    { lost: "the newest", from: "the one before", count: 1 },
    { lost: "both", from: "the beginning", count: 2 },
  ])(
    "goes on from $from when of the checkpoints $lost cannot be read, and ends as it would have",
    async ({ count }) => {
      const { jobs } = fixture.store;
      const id = await create({ steps: 9, crashAt: 6 }, { maxFailures: 1 });
      const first = supervise();
      const { checkpoint, previousCheckpoint } = await ended(id);
      expect([checkpoint, previousCheckpoint]).toMatchObject([{ step: 5 }, { step: 4 }]);
      await first.close();
      // One byte of one is another, and nothing is left of the other.
      const damaged = [
        [checkpoint!, Buffer.from("?")],
        [previousCheckpoint!, Buffer.alloc(0)],
      ] as const;
      for (const [{ digest }, bytes] of damaged.slice(0, count)) {
        await driver.damage(fixture.location, `checkpoints/${id}`, digest, bytes);
      }
      await jobs.retry(id);
      supervise();
      expect(await ended(id)).toMatchObject({ state: "SUCCEEDED", result: { step: 9 }, attempt: 2 });
      const events = await eventsOf(id);
      const again = events.filter(({ attempt }) => attempt === 2);
      expect(metrics(again)).toEqual(count === 1 ? [5, 6, 7, 8, 9] : [1, 2, 3, 4, 5, 6, 7, 8, 9]);
      const logs = again.flatMap((event) => (event.kind === "log" ? event.level : []));
      expect(logs).toEqual(Array(count).fill("warn"));
    },
  );

  it("ends a job that was to stop when its process was killed, also when it has no room for more", async () => {
    supervise();
    const busy = await create({ steps: 100_000, stepMs: 20 });
    await until(busy, ({ checkpoint }) => checkpoint !== undefined);
    const server = startServer();
    const lost = await create({ steps: 100_000, stepMs: 20 });
    await until(lost, ({ checkpoint }) => checkpoint !== undefined);
    // It hears of nothing any more. Stopped amid a write it holds the lock of SQLite: then it goes on for a moment.
    for (let isAsked = false; !isAsked; ) {
      server.kill("SIGSTOP");
      isAsked = await fixture.store.jobs.requestCancel(lost).then(
        () => true,
        (error: unknown) => {
          if (!(error instanceof StoreUnavailableError)) throw error;
          return false;
        },
      );
      if (!isAsked) server.kill("SIGCONT");
    }
    server.kill("SIGKILL");
    await once(server, "exit");
    expect((await ended(lost)).state).toBe("CANCELLED");
    expect((await fixture.store.jobs.get(busy)).state).toBe("RUNNING");
  });

  it("never lends more of the machine than there is, also not to two supervisors, nor the same GPU twice", async () => {
    const resources = createResourcePool({ gpu: 2 }, ["5", "7"]);
    for (let i = 0; i < 2; i++) supervise({ slots: { cpu: 4 }, resources });
    const gpus = [1, 2, 1, 1, 2, 1];
    const ids: string[] = [];
    for (const gpu of gpus) ids.push(await create({ steps: 10, stepMs: 5 }, { resources: { gpu } }));
    for (const id of ids) expect((await ended(id)).state).toBe("SUCCEEDED");
    const jobs = await Promise.all(ids.map((id) => fixture.store.jobs.get(id)));
    const seenBy = ({ result }: JobRecord) => String(result!.gpus).split(",");
    expect(jobs.map((job) => seenBy(job).length)).toEqual(gpus);
    const atOnce = jobs.map(({ startTimeMs: at }) =>
      jobs.filter(({ startTimeMs, endTimeMs }) => startTimeMs! <= at! && at! < endTimeMs!).flatMap(seenBy),
    );
    for (const seen of atOnce) {
      expect(["5", "7"]).toEqual(expect.arrayContaining(seen));
      expect(new Set(seen).size, seen.join()).toBe(seen.length);
    }
    expect(Math.max(...atOnce.map((seen) => seen.length))).toBe(2);
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

  it("tells what went wrong when a job fails while it stops", async () => {
    const { jobs } = fixture.store;
    const supervisor = supervise();
    const error = { reason: "TOLD_TO", message: "told to fail" };
    const running = async (failCode: string) => {
      const id = await create({ steps: 100_000, stepMs: 5, failOnStop: 1, failCode });
      await until(id, ({ checkpoint }) => checkpoint !== undefined);
      return id;
    };
    const cancelled = await running("internal");
    await jobs.requestCancel(cancelled);
    expect(await ended(cancelled)).toMatchObject({ state: "CANCELLED", error });
    const paused = await running("internal");
    await jobs.requestPause(paused);
    expect(await until(paused, ({ state }) => state === "PAUSED")).toMatchObject({ failures: 1 });
    expect((await eventsOf(paused)).at(-1)).toMatchObject({ state: "PAUSED", error });
    const broken = await running("data_loss");
    await jobs.requestPause(broken);
    expect(await ended(broken)).toMatchObject({ state: "FAILED", error });
    const interrupted = await running("data_loss");
    await supervisor.close();
    expect(await jobs.get(interrupted)).toMatchObject({ state: "FAILED", error });
  });

  it("tells what went wrong when a job that is out of time fails while it stops", async () => {
    supervise();
    const spec = { steps: 100_000, stepMs: 5, failOnStop: 1, failCode: "internal" };
    const id = await create(spec, { timeLimitMs: 50 });
    const message = "Expected an end within 50 ms of running time; while it stopped: told to fail";
    expect(await ended(id)).toMatchObject({ state: "FAILED", error: { reason: "TIME_LIMIT_EXCEEDED", message } });
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

  it("gives a job that was already stopping no more than the grace of closing", async () => {
    const supervisor = supervise({ stopGraceMs: 3_600_000 });
    const id = await create({ steps: 100_000, stepMs: 5, ignoreStop: 1 });
    await until(id, ({ checkpoint }) => checkpoint !== undefined);
    await fixture.store.jobs.requestCancel(id);
    for await (const event of fixture.store.jobs.follow(id, { after: 0, signal: AbortSignal.timeout(60_000) })) {
      if (event.kind === "log") break;
    }
    await supervisor.close({ graceMs: 100 });
    expect((await fixture.store.jobs.get(id)).state).toBe("CANCELLED");
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

  it("starts a job after the one it waits for", async () => {
    supervise({ slots: { cpu: 2 } });
    const first = await create({ steps: 20, stepMs: 5 });
    const last = await create({ steps: 1 }, { after: [first], priority: 1 });
    expect(await ended(last)).toMatchObject({ state: "SUCCEEDED", result: { step: 1 } });
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
