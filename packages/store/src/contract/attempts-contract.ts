import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import type { StoreFixture } from "../../test-fixtures/index.ts";
import type { JobCheckpoint } from "../index.ts";
import { broken, jobSteps, log, stale } from "./job-steps.ts";

/** What those who run jobs rely on. */
export function attemptsContract(fixture: StoreFixture): void {
  const { create, claim, events, states } = jobSteps(fixture);
  /** Saves checkpoints of a job's first attempt, which has stored nothing else yet: the same bytes for the same step. */
  const saving = (id: string) => {
    let before = 0;
    return async (step: number): Promise<JobCheckpoint> => {
      const blob = await fixture.store.checkpoints.of(id).put(Buffer.from(`checkpoint ${step}`));
      await fixture.store.jobs.append(id, 1, [{ kind: "checkpoint", step, ...blob }], before++);
      return { digest: blob.digest, step };
    };
  };

  describe("jobs, for those who run them", () => {
    it("are claimed once, oldest first", async () => {
      const first = await create();
      const second = await create();
      const claims = await Promise.all([claim("a"), claim("b"), claim("c")]);
      expect(claims.map((job) => job?.id).sort()).toEqual([first.id, second.id, undefined].sort());
      expect(claims.flatMap((job) => job?.attempt ?? [])).toEqual([1, 1]);
    });

    it("are claimed once by several processes", async () => {
      const other = await fixture.openAgain();
      for (let i = 0; i < 20; i++) await create();
      const claims = await Promise.all(
        Array.from({ length: 30 }, (_, i) => claim(String(i), 30_000, {}, i % 2 === 0 ? fixture.store : other)),
      );
      const ids = claims.flatMap((job) => job?.id ?? []);
      expect(new Set(ids).size).toBe(20);
      expect(ids.length).toBe(20);
    });

    it("are claimed by priority, then by age", async () => {
      const low = await create({ priority: -1 });
      const first = await create();
      const high = await create({ priority: 5 });
      const second = await create();
      const order = [await claim(), await claim(), await claim(), await claim()].map((job) => job?.id);
      expect(order).toEqual([high.id, first.id, second.id, low.id]);
    });

    it("are claimed only where what they take is free", async () => {
      const large = await create({ resources: { gpu: 2, memory_gib: 40 }, priority: 1 });
      const small = await create({ resources: { gpu: 1 } });
      const plain = await create();
      expect((await claim("a", 30_000))?.id).toBe(plain.id);
      expect(await claim("a", 30_000, { memory_gib: 64 })).toBeUndefined();
      expect((await claim("a", 30_000, { gpu: 2, memory_gib: 39 }))?.id).toBe(small.id);
      const claimed = await claim("b", 30_000, { gpu: 2, memory_gib: 40 });
      expect(claimed).toMatchObject({ id: large.id, resources: { gpu: 2, memory_gib: 40 } });
    });

    it("number their events without gap, over attempts", async () => {
      const { id } = await create();
      await claim("a", -1);
      await fixture.store.jobs.append(id, 1, [log("one"), log("two")], 0);
      await claim("b");
      await fixture.store.jobs.append(id, 2, [log("three")], 0);
      const all = await events(id);
      expect(all.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6]);
      expect(all.map(({ attempt }) => attempt)).toEqual([0, 1, 1, 1, 2, 2]);
      const one = await fixture.store.jobs.events(id, { after: 4, limit: 1 });
      expect(one.map(({ number }) => number)).toEqual([5]);
      expect((await fixture.store.jobs.get(id)).lastEvent).toBe(6);
    });

    it("store no event twice that is given again because nobody knew whether it was stored", async () => {
      const { jobs } = fixture.store;
      const { id } = await create();
      await claim();
      await jobs.append(id, 1, [log("one"), log("two")], 0);
      await jobs.append(id, 1, [log("one"), log("two"), log("three")], 0);
      await jobs.append(id, 1, [log("three")], 2);
      await expect(jobs.append(id, 1, [log("five")], 4)).rejects.toThrow(RangeError);
      const texts = (await events(id)).flatMap((event) => (event.kind === "log" ? event.text : []));
      expect(texts).toEqual(["one", "two", "three"]);
      await jobs.finish(id, 1, { state: "INTERRUPTED" });
      await claim();
      await jobs.append(id, 2, [log("of the second attempt")], 0);
      expect((await jobs.get(id)).lastEvent).toBe(7);
    });

    it("take no writes of an attempt that was replaced", async () => {
      const { jobs, models } = fixture.store;
      const { id } = await create();
      await claim("a", -1);
      await claim("b");
      await expect(jobs.append(id, 1, [log("late")], 0)).rejects.toMatchObject(stale);
      await expect(jobs.heartbeat(id, 1, 1000)).rejects.toMatchObject(stale);
      await expect(jobs.finish(id, 1, { state: "SUCCEEDED", result: {} })).rejects.toMatchObject(stale);
      await expect(
        models.createVersion({ model: "m", card: {}, artifacts: [], job: { id, attempt: 1 } }),
      ).rejects.toMatchObject(stale);
      expect((await events(id)).length).toBe(3);
      expect((await jobs.get(id)).state).toBe("RUNNING");
    });

    it("have one attempt that can write, whatever claims, writes and ends at once", async () => {
      const stores = [fixture.store, await fixture.openAgain()];
      const { id } = await create();
      let written = 0;
      const worker = async (name: string, index: number) => {
        const { jobs } = stores[index]!;
        for (let i = 0; i < 10; i++) {
          // Every lease has run out as soon as it is given.
          const job = await jobs.claim({ kinds: ["fine_tune"], owner: name, leaseMs: -1 });
          if (job === undefined) continue;
          await jobs.append(id, job.attempt, [log(name)], 0).then(
            () => written++,
            (error: unknown) => expect(error).toMatchObject(stale),
          );
        }
      };
      await Promise.all(["a", "b", "c", "d"].map((name, i) => worker(name, i % 2)));
      const all = await events(id);
      expect(all.map(({ number }) => number)).toEqual(all.map((_, i) => i + 1));
      const logs = all.filter(({ kind }) => kind === "log");
      expect(logs.length).toBe(written);
      expect(new Set(logs.map(({ attempt }) => attempt)).size).toBe(written);
      const attempts = all.map(({ attempt }) => attempt);
      expect(attempts).toEqual(attempts.toSorted((a, b) => a - b));
    });

    it("are not claimed while their lease lasts, and are once their owner is released", async () => {
      const { id } = await create();
      await claim("a");
      expect(await claim("b")).toBeUndefined();
      expect(await fixture.store.jobs.owners()).toEqual(["a"]);
      await fixture.store.jobs.releaseOwner("a");
      expect(await claim("b")).toMatchObject({ id, attempt: 2 });
    });

    it("are not claimed again by those who still run them, whatever became of their lease", async () => {
      const { id } = await create();
      const other = await create();
      await claim("a", -1);
      const by = { kinds: ["fine_tune"], owner: "a", leaseMs: 30_000, except: [id] };
      expect((await fixture.store.jobs.claim(by))?.id).toBe(other.id);
      expect(await fixture.store.jobs.claim({ ...by, except: [id, other.id] })).toBeUndefined();
      expect(await claim("b")).toMatchObject({ id, attempt: 2 });
    });

    it("are tried again when their back-off is over, until their failures are used up", async () => {
      const { jobs } = fixture.store;
      const { id } = await create({ maxFailures: 3 });
      await claim();
      expect((await jobs.finish(id, 1, { state: "FAILED", error: broken, retryAfterMs: 0 })).state).toBe("RETRY_WAIT");
      await claim();
      await jobs.finish(id, 2, { state: "FAILED", error: broken, retryAfterMs: 60_000 });
      expect(await claim()).toBeUndefined();
      // A pause and its end are also a way to try again at once.
      await jobs.requestPause(id);
      await jobs.requestResume(id);
      await claim();
      const failed = await jobs.finish(id, 3, { state: "FAILED", error: broken, retryAfterMs: 0 });
      expect(failed).toMatchObject({ state: "FAILED", error: broken, failures: 3 });
    });

    it("do not count an interruption as a failure", async () => {
      const { id } = await create();
      await claim();
      await fixture.store.jobs.finish(id, 1, { state: "INTERRUPTED" });
      expect(await claim()).toMatchObject({ id, attempt: 2, failures: 0 });
    });

    it("stop as they were asked to when their owner is lost", async () => {
      const { jobs } = fixture.store;
      const [cancelled, paused] = [await create(), await create()];
      await claim("a");
      await claim("a");
      await jobs.requestCancel(cancelled.id);
      await jobs.requestPause(paused.id);
      const kinds = ["fine_tune"];
      await jobs.stopLost({ kinds });
      expect((await jobs.get(cancelled.id)).state).toBe("CANCELLING");
      await jobs.releaseOwner("a");
      expect(await claim("b")).toBeUndefined();
      await jobs.stopLost({ kinds, except: [cancelled.id, paused.id] });
      await jobs.stopLost({ kinds: ["evaluation"] });
      expect((await jobs.get(cancelled.id)).state).toBe("CANCELLING");
      await jobs.stopLost({ kinds });
      expect((await jobs.get(cancelled.id)).state).toBe("CANCELLED");
      expect((await jobs.get(paused.id)).state).toBe("PAUSED");
      await jobs.requestResume(paused.id);
      expect(await claim("b")).toMatchObject({ id: paused.id, attempt: 2 });
    });

    it("count how long they ran, and not how long they waited", async () => {
      const { jobs } = fixture.store;
      const { id } = await create({ timeLimitMs: 60_000 });
      const databaseTimePasses = async (ms: number) => {
        const start = (await create()).createTimeMs;
        while ((await create()).createTimeMs < start + ms);
      };
      expect(await claim()).toMatchObject({ id, timeLimitMs: 60_000, runMs: 0 });
      await databaseTimePasses(20);
      await jobs.requestPause(id);
      const paused = await jobs.finish(id, 1, { state: "PAUSED" });
      expect(paused.runMs).toBeGreaterThanOrEqual(20);
      await databaseTimePasses(20);
      await jobs.requestResume(id);
      const resumed = await claim();
      expect(resumed).toMatchObject({ id, attempt: 2, runMs: paused.runMs });
      await databaseTimePasses(20);
      const { runMs } = await jobs.finish(id, 2, { state: "SUCCEEDED", result: {} });
      expect(runMs).toBeGreaterThanOrEqual(paused.runMs + 20);
      const { startTimeMs, endTimeMs } = await jobs.get(id);
      expect(runMs).toBeLessThanOrEqual(endTimeMs! - startTimeMs! - 20);
    });

    it("keep their last two checkpoints, and none after their end", async () => {
      const { jobs, checkpoints } = fixture.store;
      const { id } = await create();
      await claim();
      const saved = saving(id);
      const [first, second, third] = [await saved(1), await saved(2), await saved(3)];
      expect(await jobs.get(id)).toMatchObject({ checkpoint: third, previousCheckpoint: second });
      await expect(checkpoints.of(id).get(first.digest)).rejects.toMatchObject({ reason: "BLOB_DAMAGED" });
      expect((await checkpoints.of(id).get(second.digest)).toString()).toBe("checkpoint 2");
      expect((await checkpoints.of(id).get(third.digest)).toString()).toBe("checkpoint 3");
      await jobs.append(id, 1, [log("no checkpoint")], 3);
      const atOnce = await Promise.all(["4", "5", "6"].map((text) => checkpoints.of(id).put(Buffer.from(text))));
      const events = atOnce.map((blob, i) => ({ kind: "checkpoint", step: 4 + i, ...blob }) as const);
      await jobs.append(id, 1, [events[0]!, log("at once"), ...events.slice(1)], 4);
      const all = [second, third, ...atOnce].map(({ digest }) => digest);
      expect(await Promise.all(all.map((digest) => checkpoints.of(id).has(digest)))).toEqual([
        ...[false, false, false],
        ...[true, true],
      ]);
      const ended = await jobs.finish(id, 1, { state: "SUCCEEDED", result: {} });
      expect([ended.checkpoint, ended.previousCheckpoint]).toEqual([undefined, undefined]);
      await expect(checkpoints.of(id).get(all.at(-1)!)).rejects.toMatchObject({ reason: "BLOB_DAMAGED" });
    });

    it("that went back behind their newest checkpoint keep the one they went on from", async () => {
      const { jobs, checkpoints } = fixture.store;
      const { id } = await create();
      await claim();
      const saved = saving(id);
      const [older, newest] = [await saved(4), await saved(8)];
      // The newest was damaged; it is saved again, as training is exact.
      expect(await saved(8)).toEqual(newest);
      expect(await jobs.get(id)).toMatchObject({ checkpoint: newest, previousCheckpoint: older });
      // Or one on the way there, because the attempt was told to stop.
      const between = await saved(6);
      expect(await jobs.get(id)).toMatchObject({ checkpoint: between, previousCheckpoint: older });
      expect(await checkpoints.of(id).has(older.digest)).toBe(true);
      // The next attempt may be storing the same bytes as of step 8 just now.
      expect(await checkpoints.of(id).has(newest.digest)).toBe(true);
      expect(await saved(8)).toEqual(newest);
      expect(await jobs.get(id)).toMatchObject({ checkpoint: newest, previousCheckpoint: between });
      // Both were damaged.
      const start = await saved(2);
      const job = await jobs.get(id);
      expect([job.checkpoint, job.previousCheckpoint]).toEqual([start, undefined]);
    });

    it("that have failed keep their checkpoint, and go on from it when they are tried again", async () => {
      const { jobs, checkpoints } = fixture.store;
      const { id } = await create();
      await claim();
      const blob = await checkpoints.of(id).put(Buffer.from("step 4"));
      await jobs.append(id, 1, [{ kind: "checkpoint", step: 4, ...blob }], 0);
      await expect(jobs.retry(id)).rejects.toMatchObject({ reason: "JOB_NOT_FAILED" });
      const failed = await jobs.finish(id, 1, { state: "FAILED", error: broken });
      expect(failed).toMatchObject({ state: "FAILED", error: broken });
      await fixture.store.collectGarbage({ minAgeMs: -2_000 });
      expect((await checkpoints.of(id).get(blob.digest)).toString()).toBe("step 4");
      const queued = await jobs.retry(id);
      expect(queued).toMatchObject({ state: "QUEUED", failures: 0, checkpoint: { digest: blob.digest, step: 4 } });
      expect(queued.error).toBeUndefined();
      expect(await claim()).toMatchObject({ id, attempt: 2, checkpoint: { step: 4 } });
      await jobs.finish(id, 2, { state: "SUCCEEDED", result: {} });
      await expect(checkpoints.of(id).get(blob.digest)).rejects.toMatchObject({ reason: "BLOB_DAMAGED" });
      await expect(jobs.retry("none")).rejects.toMatchObject({ reason: "JOB_NOT_FOUND" });
    });

    it("survive a process that is killed while it writes", async () => {
      const program = `
        import { openStore } from ${JSON.stringify(new URL("../index.ts", import.meta.url).href)};
        const store = await openStore(${JSON.stringify(fixture.location)});
        const { job } = await store.jobs.create({ kind: "fine_tune", spec: {} });
        await store.jobs.claim({ kinds: ["fine_tune"], owner: "child", leaseMs: 30000 });
        for (let i = 0; i < 1000; i++) {
          await store.jobs.append(job.id, 1, [{ kind: "log", level: "info", text: String(i) }], i);
          if (i === 20) process.kill(process.pid, "SIGKILL");
        }`;
      const child = spawn(process.execPath, ["--input-type=module", "-e", program]);
      const [said, [, signal]] = await Promise.all([text(child.stderr), once(child, "exit")]);
      expect(signal, said).toBe("SIGKILL");
      const { jobs } = await fixture.store.jobs.list({ pageSize: 10 });
      const all = await events(jobs[0]!.id);
      expect(all.length).toBe(jobs[0]!.lastEvent);
      expect(all.length).toBeGreaterThanOrEqual(2 + 21);
      expect(all.map(({ number }) => number)).toEqual(all.map((_, i) => i + 1));
      expect(await states(jobs[0]!.id)).toEqual(["QUEUED", "RUNNING"]);
    });
  });
}
