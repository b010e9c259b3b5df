import { describe, expect, it } from "vitest";
import type { StoreFixture } from "../../test-fixtures/index.ts";
import type { JobEvent } from "../index.ts";
import { broken, jobSteps, log, stale } from "./job-steps.ts";

/** What callers of jobs rely on. */
export function jobsContract(fixture: StoreFixture): void {
  const { create, claim, events, states } = jobSteps(fixture);

  describe("jobs, for callers", () => {
    it("are cancelled at once when they wait, on request when they run, and never after their end", async () => {
      const { jobs } = fixture.store;
      const waiting = await create();
      expect((await jobs.requestCancel(waiting.id)).state).toBe("CANCELLED");
      const running = await create();
      await claim();
      expect((await jobs.requestCancel(running.id)).state).toBe("CANCELLING");
      expect((await jobs.requestCancel(running.id)).state).toBe("CANCELLING");
      expect(await jobs.heartbeat(running.id, 1, 1000)).toEqual({ stop: "cancel" });
      expect((await jobs.finish(running.id, 1, { state: "CANCELLED" })).state).toBe("CANCELLED");
      await expect(jobs.requestCancel(running.id)).rejects.toMatchObject({ reason: "JOB_ENDED" });
      expect(await states(running.id)).toEqual(["QUEUED", "RUNNING", "CANCELLING", "CANCELLED"]);
    });

    it("are paused at once when they wait, at a checkpoint when they run, and run again when resumed", async () => {
      const { jobs } = fixture.store;
      const { id } = await create();
      expect((await jobs.requestPause(id)).state).toBe("PAUSED");
      expect((await jobs.requestPause(id)).state).toBe("PAUSED");
      expect(await claim()).toBeUndefined();
      expect((await jobs.requestResume(id)).state).toBe("QUEUED");
      await claim();
      expect((await jobs.requestPause(id)).state).toBe("PAUSING");
      expect(await jobs.heartbeat(id, 1, 1000)).toEqual({ stop: "pause" });
      const blob = await fixture.store.checkpoints.of(id).put(Buffer.from("state"));
      await jobs.append(id, 1, [{ kind: "checkpoint", step: 7, ...blob }], 0);
      expect((await jobs.finish(id, 1, { state: "PAUSED" })).state).toBe("PAUSED");
      await expect(jobs.append(id, 1, [log("late")], 1)).rejects.toMatchObject(stale);
      await jobs.requestResume(id);
      expect(await claim()).toMatchObject({
        id,
        attempt: 2,
        failures: 0,
        checkpoint: { step: 7, digest: blob.digest },
      });
      expect(await jobs.requestResume(id)).toMatchObject({ state: "RUNNING", attempt: 2 });
    });

    it("go on with another attempt when they are resumed while they pause", async () => {
      const { jobs } = fixture.store;
      const { id } = await create();
      await claim();
      await jobs.requestPause(id);
      expect((await jobs.requestResume(id)).state).toBe("RUNNING");
      expect((await jobs.finish(id, 1, { state: "PAUSED" })).state).toBe("RUNNING");
      expect(await claim()).toMatchObject({ id, attempt: 2 });
    });

    it("can be cancelled while they pause and when they are paused, and not paused while they are cancelled", async () => {
      const { jobs } = fixture.store;
      const pausing = await create();
      await claim();
      await jobs.requestPause(pausing.id);
      expect((await jobs.requestCancel(pausing.id)).state).toBe("CANCELLING");
      await expect(jobs.requestPause(pausing.id)).rejects.toMatchObject({ reason: "JOB_STATE" });
      await expect(jobs.requestResume(pausing.id)).rejects.toMatchObject({ reason: "JOB_STATE" });
      const paused = await create();
      await jobs.requestPause(paused.id);
      expect((await jobs.requestCancel(paused.id)).state).toBe("CANCELLED");
      await expect(jobs.requestPause(paused.id)).rejects.toMatchObject({ reason: "JOB_ENDED" });
      await expect(jobs.requestResume(paused.id)).rejects.toMatchObject({ reason: "JOB_ENDED" });
    });

    it("answer the same request with the same job, another request with an error", async () => {
      const { jobs } = fixture.store;
      const request = { kind: "fine_tune", spec: { a: 1, b: { c: 2, d: 3 } }, requestId: "r" };
      const { job, created } = await jobs.create(request);
      expect(created).toBe(true);
      const again = await jobs.create({ ...request, spec: { b: { d: 3, c: 2 }, a: 1 } });
      expect(again).toMatchObject({ created: false, job: { id: job.id } });
      await expect(jobs.create({ ...request, spec: { a: 2 } })).rejects.toMatchObject({
        code: "already_exists",
        reason: "REQUEST_ID_REUSED",
      });
    });

    it("answer a request by its digest, whatever it comes to when it is repeated", async () => {
      const { jobs } = fixture.store;
      const [one, other] = [
        { requestId: "r", requestDigest: "1".repeat(64) },
        { requestId: "r", requestDigest: "2".repeat(64) },
      ];
      expect(await jobs.requested(one)).toBeUndefined();
      const { job } = await jobs.create({ kind: "fine_tune", spec: { a: 1 }, ...one });
      expect(await jobs.requested(one)).toEqual(job);
      const again = { kind: "fine_tune", spec: { a: 2 }, priority: 5, ...one };
      expect(await jobs.create(again)).toEqual({ job, created: false });
      await jobs.check(again);
      const reused = { code: "already_exists", reason: "REQUEST_ID_REUSED" };
      await expect(jobs.requested(other)).rejects.toMatchObject(reused);
      await expect(jobs.create({ kind: "fine_tune", spec: { a: 1 }, ...other })).rejects.toMatchObject(reused);
    });

    it("compare what was asked for with a job that an earlier release made, without a digest", async () => {
      const { jobs } = fixture.store;
      const { job } = await jobs.create({ kind: "fine_tune", spec: { a: 1 }, requestId: "r" });
      const request = { requestId: "r", requestDigest: "1".repeat(64) };
      expect(await jobs.requested(request)).toBeUndefined();
      expect(await jobs.create({ kind: "fine_tune", spec: { a: 1 }, ...request })).toEqual({ job, created: false });
      await expect(jobs.create({ kind: "fine_tune", spec: { a: 2 }, ...request })).rejects.toMatchObject({
        reason: "REQUEST_ID_REUSED",
      });
    });

    it("answer no request with a job that was to be run otherwise", async () => {
      const { jobs } = fixture.store;
      const [one, two] = [await create(), await create()];
      const options = {
        priority: 1,
        timeLimitMs: 1_000,
        after: [one.id, two.id],
        resources: { gpu: 1, memory_gib: 8 },
      };
      const request = { kind: "fine_tune", spec: {}, requestId: "r", ...options };
      const { job } = await jobs.create(request);
      const same = { ...request, after: [two.id, one.id], resources: { memory_gib: 8, gpu: 1 } };
      expect(await jobs.create(same)).toMatchObject({ created: false, job: { id: job.id } });
      const others = [{ priority: 2 }, { timeLimitMs: undefined }, { after: [one.id] }, { resources: { gpu: 1 } }];
      for (const other of others) {
        await expect(jobs.create({ ...request, ...other })).rejects.toMatchObject({ reason: "REQUEST_ID_REUSED" });
        await expect(jobs.check({ ...request, ...other })).rejects.toMatchObject({ reason: "REQUEST_ID_REUSED" });
      }
    });

    it("are checked as they would be made, without being made", async () => {
      const { jobs } = fixture.store;
      const request = { kind: "fine_tune", spec: {} };
      const failed = await create();
      await claim();
      await jobs.finish(failed.id, 1, { state: "FAILED", error: broken });
      await jobs.check({ ...request, requestId: "r", priority: 1 });
      await expect(jobs.check({ ...request, after: ["none"] })).rejects.toMatchObject({ reason: "JOB_NOT_FOUND" });
      const late = jobs.check({ ...request, after: [failed.id] });
      await expect(late).rejects.toMatchObject({ reason: "DEPENDENCY_FAILED" });
      const versions = [{ model: "none", version: "1" }];
      const missing = jobs.check({ ...request, modelVersions: versions });
      await expect(missing).rejects.toMatchObject({ reason: "MODEL_VERSION_NOT_FOUND" });
      expect((await jobs.list({ pageSize: 10 })).jobs.map(({ id }) => id)).toEqual([failed.id]);
    });

    it("are made once by a request that arrives many times at once in several processes", async () => {
      const stores = [fixture.store, await fixture.openAgain()];
      const request = { kind: "fine_tune", spec: {}, requestId: "r" };
      const made = await Promise.all(Array.from({ length: 12 }, (_, i) => stores[i % 2]!.jobs.create(request)));
      expect(new Set(made.map(({ job }) => job.id)).size).toBe(1);
      expect(made.filter(({ created }) => created).length).toBe(1);
    });

    it("are listed by kind and state, and by both", async () => {
      const { jobs } = fixture.store;
      const first = await create();
      const second = await create({ kind: "evaluation" });
      const third = await create();
      await claim();
      const ids = async (filter: object) => (await jobs.list({ pageSize: 10, ...filter })).jobs.map(({ id }) => id);
      expect(await ids({ kinds: ["fine_tune"] })).toEqual([third.id, first.id]);
      expect(await ids({ kinds: ["evaluation", "fine_tune"] })).toEqual([third.id, second.id, first.id]);
      expect(await ids({ states: ["QUEUED", "FAILED"] })).toEqual([third.id, second.id]);
      expect(await ids({ kinds: ["fine_tune"], states: ["RUNNING"] })).toEqual([first.id]);
      expect(await ids({ kinds: ["none"] })).toEqual([]);
      const page = await jobs.list({ pageSize: 1, kinds: ["fine_tune"] });
      expect(page.jobs.map(({ id }) => id)).toEqual([third.id]);
      expect(await ids({ kinds: ["fine_tune"], pageToken: page.nextPageToken })).toEqual([first.id]);
    });

    it("are listed newest first, in pages without doubles", async () => {
      const made: string[] = [];
      for (let i = 0; i < 7; i++) made.push((await create()).id);
      const listed: string[] = [];
      let pageToken = "";
      do {
        const page = await fixture.store.jobs.list({ pageSize: 3, pageToken });
        listed.push(...page.jobs.map(({ id }) => id));
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
      expect(listed.length).toBe(7);
      expect(new Set(listed)).toEqual(new Set(made));
      await expect(fixture.store.jobs.list({ pageSize: 3, pageToken: "nonsense" })).rejects.toMatchObject({
        reason: "INVALID_PAGE_TOKEN",
      });
    });

    it("tell their events from any number on, each once and in order, while two processes write and several follow", async () => {
      const other = await fixture.openAgain();
      const { id } = await create();
      await claim();
      const end = async () => {
        for (let i = 0; i < 40; i++) {
          const { jobs } = i % 2 === 0 ? fixture.store : other;
          await jobs.append(id, 1, [log(`${i} a`), log(`${i} b`)], 2 * i);
        }
        await other.jobs.finish(id, 1, { state: "SUCCEEDED", result: {} });
      };
      const signal = new AbortController().signal;
      const followed = [0, 1, 30, 83].map(async (after, i) => {
        const seen: JobEvent[] = [];
        const { jobs } = i % 2 === 0 ? other : fixture.store;
        for await (const event of jobs.follow(id, { after, signal })) seen.push(event);
        return { after, seen };
      });
      await end();
      const all = await events(id);
      expect(all.map(({ number }) => number)).toEqual(Array.from({ length: 83 }, (_, i) => i + 1));
      for (const { after, seen } of await Promise.all(followed)) expect(seen).toEqual(all.slice(after));
    });

    it("tell what is left to a follower that was cut off, after the store was opened anew", async () => {
      const { id } = await create();
      await claim();
      const stop = new AbortController();
      const seen: number[] = [];
      for await (const { number } of fixture.store.jobs.follow(id, { after: 0, signal: stop.signal })) {
        seen.push(number);
        if (number === 2) await fixture.store.jobs.append(id, 1, [log("three")], 0);
        if (number === 3) stop.abort();
      }
      await fixture.store.jobs.append(id, 1, [log("four")], 1);
      await fixture.store.jobs.finish(id, 1, { state: "FAILED", error: broken });
      const { jobs } = await fixture.openAgain();
      const { signal } = new AbortController();
      for await (const { number } of jobs.follow(id, { after: seen.at(-1)!, signal })) seen.push(number);
      expect(seen).toEqual([1, 2, 3, 4, 5]);
      await expect(jobs.follow("none", { after: 0, signal }).next()).rejects.toMatchObject({ code: "not_found" });
    });
  });
}
