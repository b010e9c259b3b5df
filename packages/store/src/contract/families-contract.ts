import { describe, expect, it } from "vitest";
import type { StoreFixture } from "../../test-fixtures/index.ts";
import type { JobEvent, NewChild, NewJob } from "../index.ts";
import { broken, jobSteps } from "./job-steps.ts";

/** What holds for jobs with children. */
export function familiesContract(fixture: StoreFixture): void {
  const { claim, create, events, states } = jobSteps(fixture);
  /** Two pairs of jobs, the second of each waiting for the first, and the job that they are parts of. */
  const pairs = (...places: readonly string[]): NewChild[] =>
    places.flatMap((place) => [
      { id: `train-${place}`, kind: "fine_tune", spec: { place }, displayName: `Training ${place}` },
      { id: `test-${place}`, kind: "fine_tune", spec: { place }, after: [`train-${place}`] },
    ]);
  const family = (options: Partial<NewJob> = {}) => create({ children: pairs("a", "b"), ...options });
  const stateOf = async (id: string) => (await fixture.store.jobs.get(id)).state;
  const childStates = async (id: string) =>
    Object.fromEntries((await fixture.store.jobs.children(id)).map((child) => [child.id, child.state]));
  const succeed = (id: string, attempt = 1) =>
    fixture.store.jobs.finish(id, attempt, { state: "SUCCEEDED", result: { made: id } });
  const fail = (id: string) => fixture.store.jobs.finish(id, 1, { state: "FAILED", error: broken });
  const told = (all: readonly JobEvent[]) => all.flatMap((event) => (event.kind === "child" ? event : []));
  /** Claims everything that can run, in turn, and has it succeed. */
  const runAll = async () => {
    const ran: string[] = [];
    for (let job = await claim(); job !== undefined; job = await claim()) {
      await succeed(job.id, job.attempt);
      ran.push(job.id);
    }
    return ran;
  };

  describe("a job with children", () => {
    it("starts when they have ended, and hears of what becomes of them", async () => {
      const parent = await create({ children: pairs("b", "a") });
      expect(parent).toMatchObject({ state: "QUEUED", lastEvent: 5 });
      const { jobs } = fixture.store;
      const order = ["train-b", "test-b", "train-a", "test-a"];
      expect((await jobs.children(parent.id)).map(({ id }) => id)).toEqual(order);
      expect(await jobs.get("test-a")).toMatchObject({ parent: parent.id, after: ["train-a"] });
      expect(parent).not.toHaveProperty("parent");
      const ran = await runAll();
      expect(ran).toEqual([...order, parent.id]);

      const all = await events(parent.id);
      expect(all.map(({ number }) => number)).toEqual(all.map((_, i) => i + 1));
      expect(told(all).slice(0, 4)).toMatchObject([
        { job: "train-b", state: "QUEUED", displayName: "Training b" },
        { job: "test-b", state: "QUEUED" },
        { job: "train-a", state: "QUEUED" },
        { job: "test-a", state: "QUEUED" },
      ]);
      for (const id of order) {
        const own = told(all).filter(({ job }) => job === id);
        expect(own.map(({ state }) => state)).toEqual(["QUEUED", "RUNNING", "SUCCEEDED"]);
      }
      const fractions = all.flatMap((event) => (event.kind === "progress" ? event.fraction : []));
      expect(fractions).toEqual([0.25, 0.5, 0.75, 1]);
      expect(await states(parent.id)).toEqual(["QUEUED", "RUNNING", "SUCCEEDED"]);
    });

    it("has the share of them that succeeded as its progress", async () => {
      const parent = await family();
      await claim();
      await succeed(
        (await fixture.store.jobs.list({ pageSize: 10 })).jobs.find(({ state }) => state === "RUNNING")!.id,
      );
      expect(await fixture.store.jobs.get(parent.id)).toMatchObject({ progress: 0.25, state: "QUEUED" });
    });

    it("is made with all of them or not at all, and once", async () => {
      const { jobs } = fixture.store;
      const request = { kind: "fine_tune", spec: { a: 1 }, requestId: "r" };
      const wrong = { ...request, children: [...pairs("a"), { ...pairs("b")[1]!, after: ["none"] }] };
      for (const ask of [jobs.check, jobs.create])
        await expect(ask(wrong)).rejects.toMatchObject({ code: "not_found" });
      expect((await jobs.list({ pageSize: 10 })).jobs).toEqual([]);
      const right = { ...request, children: pairs("a") };
      await jobs.check(right);
      expect((await jobs.list({ pageSize: 10 })).jobs).toEqual([]);
      const stores = [fixture.store, await fixture.openAgain()];
      // Children are made by whoever comes first: their ids do not count.
      const made = await Promise.all(
        [0, 1, 2, 3].map((i) => stores[i % 2]!.jobs.create({ ...request, children: pairs(`a${i}`) })),
      );
      expect(made.filter(({ created }) => created).length).toBe(1);
      expect(new Set(made.map(({ job }) => job.id)).size).toBe(1);
      expect((await jobs.children(made[0]!.job.id)).length).toBe(2);
    });

    it("is found by its children, and they among others by it", async () => {
      const parent = await family();
      await create();
      const { jobs } = fixture.store;
      const found: string[] = [];
      let pageToken = "";
      do {
        const page = await jobs.list({ pageSize: 3, pageToken, parent: parent.id });
        found.push(...page.jobs.map(({ id }) => id));
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
      expect(found.toSorted()).toEqual(["test-a", "test-b", "train-a", "train-b"]);
      expect((await jobs.list({ pageSize: 10 })).jobs.length).toBe(6);
      expect(await jobs.children("train-a")).toEqual([]);
    });

    it("starts as well when some have failed, after all others", async () => {
      const parent = await family();
      const first = (await claim())!;
      await fail(first.id);
      expect(await stateOf(first.id.replace("train", "test"))).toBe("FAILED");
      expect(await stateOf(parent.id)).toBe("QUEUED");
      const ran = await runAll();
      expect(ran.length).toBe(3);
      expect(ran.at(-1)).toBe(parent.id);
      const failed = told(await events(parent.id)).filter(({ state }) => state === "FAILED");
      expect(failed).toMatchObject([{ job: first.id, error: broken }, { error: { reason: "DEPENDENCY_FAILED" } }]);
    });

    it("goes on with what is done when it is tried again", async () => {
      const { jobs } = fixture.store;
      const parent = await family();
      const first = (await claim())!;
      await fail(first.id);
      for (let job = await claim(); job!.id !== parent.id; job = await claim()) await succeed(job!.id);
      await fail(parent.id);
      expect(await jobs.retry(parent.id)).toMatchObject({ state: "QUEUED" });
      expect(await jobs.get(parent.id)).not.toHaveProperty("error");
      const rest = await runAll();
      expect(rest).toEqual([first.id, first.id.replace("train", "test"), parent.id]);
      expect(await states(parent.id)).toEqual(["QUEUED", "RUNNING", "FAILED", "QUEUED", "RUNNING", "SUCCEEDED"]);
      await expect(jobs.retry(parent.id)).rejects.toMatchObject({ reason: "JOB_NOT_FAILED" });
    });

    it("waits again for a child that is tried again before it has started, or by itself", async () => {
      const { jobs } = fixture.store;
      const parent = await create({ children: pairs("a").slice(0, 1) });
      await claim();
      await fail("train-a");
      expect((await jobs.retry("train-a")).state).toBe("QUEUED");
      expect((await claim())?.id).toBe("train-a");
      expect(await claim()).toBeUndefined();
      await jobs.finish("train-a", 2, { state: "FAILED", error: broken });
      expect((await claim())?.id).toBe(parent.id);
      await fail(parent.id);
      await jobs.retry("train-a");
      await claim();
      expect((await jobs.retry(parent.id)).state).toBe("QUEUED");
      expect(await claim()).toBeUndefined();
      await succeed("train-a", 3);
      expect((await claim())?.id).toBe(parent.id);
    });

    it("cannot be tried again when one was cancelled", async () => {
      const { jobs } = fixture.store;
      const parent = await family();
      await jobs.requestCancel("train-a");
      expect(await childStates(parent.id)).toMatchObject({ "train-a": "CANCELLED", "test-a": "FAILED" });
      for (let job = await claim(); job!.id !== parent.id; job = await claim()) await succeed(job!.id);
      await fail(parent.id);
      await expect(jobs.retry(parent.id)).rejects.toMatchObject({
        reason: "DEPENDENCY_FAILED",
        message: expect.stringContaining("job train-a is CANCELLED"),
      });
      expect(await childStates(parent.id)).toMatchObject({ "train-a": "CANCELLED", "test-a": "FAILED" });
    });

    it("is cancelled with its children, after the last of them", async () => {
      const { jobs } = fixture.store;
      const parent = await family();
      const running = [(await claim())!, (await claim())!].map(({ id }) => id);
      expect((await jobs.requestCancel(parent.id)).state).toBe("CANCELLING");
      expect((await jobs.requestCancel(parent.id)).state).toBe("CANCELLING");
      await expect(jobs.requestPause(parent.id)).rejects.toMatchObject({ code: "failed_precondition" });
      expect(await childStates(parent.id)).toEqual({
        "train-a": "CANCELLING",
        "test-a": "CANCELLED",
        "train-b": "CANCELLING",
        "test-b": "CANCELLED",
      });
      expect(await claim()).toBeUndefined();
      await jobs.finish(running[0]!, 1, { state: "CANCELLED" });
      expect(await stateOf(parent.id)).toBe("CANCELLING");
      // One may succeed before it hears of it.
      await succeed(running[1]!);
      expect(await stateOf(parent.id)).toBe("CANCELLED");
      const all = await events(parent.id);
      expect(all.at(-1)).toMatchObject({ kind: "state", state: "CANCELLED" });
      expect(told(all).slice(-2)).toMatchObject([{ state: "CANCELLED" }, { state: "SUCCEEDED" }]);
      await expect(jobs.requestCancel(parent.id)).rejects.toMatchObject({ reason: "JOB_ENDED" });
    });

    it("is cancelled at once when none of them runs", async () => {
      const { jobs } = fixture.store;
      const parent = await family();
      expect((await jobs.requestCancel(parent.id)).state).toBe("CANCELLED");
      expect(new Set(Object.values(await childStates(parent.id)))).toEqual(new Set(["CANCELLED"]));
      expect(told(await events(parent.id)).filter(({ state }) => state === "CANCELLED").length).toBe(4);
      expect(await states(parent.id)).toEqual(["QUEUED", "CANCELLED"]);
    });

    it("is cancelled with its children also when their owner was lost", async () => {
      const { jobs } = fixture.store;
      const parent = await family();
      await claim("a");
      await jobs.requestCancel(parent.id);
      await jobs.releaseOwner("a");
      await jobs.stopLost({ kinds: ["fine_tune"] });
      expect(await stateOf(parent.id)).toBe("CANCELLED");
    });

    it("is paused and resumed with its children", async () => {
      const { jobs } = fixture.store;
      const parent = await family();
      const { id } = (await claim())!;
      expect((await jobs.requestPause(parent.id)).state).toBe("PAUSED");
      expect(new Set(Object.values(await childStates(parent.id)))).toEqual(new Set(["PAUSING", "PAUSED"]));
      await jobs.finish(id, 1, { state: "PAUSED" });
      expect(await claim()).toBeUndefined();
      expect((await jobs.requestResume(parent.id)).state).toBe("QUEUED");
      expect((await runAll()).length).toBe(5);
      expect(await stateOf(parent.id)).toBe("SUCCEEDED");
    });

    it("never loses a child or an event to what others do at the same time", async () => {
      const other = await fixture.openAgain();
      const parent = await create({ children: pairs("a", "b", "c", "d") });
      const work = async (owner: string, { jobs }: typeof other) => {
        for (;;) {
          const job = await jobs.claim({ kinds: ["fine_tune"], owner, leaseMs: 30_000 });
          if (job?.id === parent.id) return;
          if (job === undefined) {
            if ((await jobs.get(parent.id)).state !== "QUEUED") return;
            continue;
          }
          await jobs.finish(job.id, job.attempt, { state: "SUCCEEDED", result: {} });
        }
      };
      await Promise.all([work("a", fixture.store), work("b", other)]);
      expect(await fixture.store.jobs.get(parent.id)).toMatchObject({ state: "RUNNING", attempt: 1, progress: 1 });
      const all = await events(parent.id);
      expect(all.map(({ number }) => number)).toEqual(all.map((_, i) => i + 1));
      expect(told(all).length).toBe(3 * 8);
    });

    it("ends in one way when it is cancelled while a child ends", async () => {
      const other = await fixture.openAgain();
      for (let i = 0; i < 6; i++) {
        const parent = await create({ children: pairs(`${i}`).slice(0, 1) });
        await claim();
        await Promise.all([other.jobs.requestCancel(parent.id), succeed(`train-${i}`)]);
        expect(await stateOf(parent.id)).toBe("CANCELLED");
        expect(await stateOf(`train-${i}`)).toBe("SUCCEEDED");
      }
    });
  });
}
