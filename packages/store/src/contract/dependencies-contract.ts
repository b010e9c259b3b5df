import { describe, expect, it } from "vitest";
import type { StoreFixture } from "../../test-fixtures/index.ts";
import { broken, jobSteps } from "./job-steps.ts";

/** What holds for jobs that wait for others. */
export function dependenciesContract(fixture: StoreFixture): void {
  const { create, claim, states } = jobSteps(fixture);
  const succeed = (id: string) => fixture.store.jobs.finish(id, 1, { state: "SUCCEEDED", result: { made: id } });
  const fail = (id: string) => fixture.store.jobs.finish(id, 1, { state: "FAILED", error: broken });

  describe("jobs that wait for others", () => {
    it("start when all of them have succeeded", async () => {
      const [first, second] = [await create(), await create()];
      const last = await create({ after: [first.id, second.id], priority: 9 });
      expect(last).toMatchObject({ state: "QUEUED", after: [first.id, second.id] });
      expect((await claim())?.id).toBe(first.id);
      expect((await claim())?.id).toBe(second.id);
      await succeed(first.id);
      expect(await claim()).toBeUndefined();
      await succeed(second.id);
      expect((await claim())?.id).toBe(last.id);
    });

    it("start at once after one that has succeeded before", async () => {
      const first = await create();
      await claim();
      await succeed(first.id);
      const last = await create({ after: [first.id] });
      expect((await claim())?.id).toBe(last.id);
    });

    it("fail with the first that does not succeed, and so do those that wait for them", async () => {
      const first = await create();
      const left = await create({ after: [first.id] });
      const right = await create({ after: [first.id, left.id] });
      const last = await create({ after: [left.id, right.id] });
      await fixture.store.jobs.requestPause(right.id);
      await claim();
      await fail(first.id);
      for (const { id } of [left, right, last]) {
        const job = await fixture.store.jobs.get(id);
        expect(job).toMatchObject({ state: "FAILED", attempt: 0, error: { reason: "DEPENDENCY_FAILED" } });
        expect((await states(id)).filter((state) => state === "FAILED").length).toBe(1);
      }
      expect(await claim()).toBeUndefined();
      await expect(create({ after: [first.id] })).rejects.toMatchObject({ reason: "DEPENDENCY_FAILED" });
    });

    it("fail when what they wait for is cancelled, also when its owner was lost", async () => {
      const first = await create();
      const last = await create({ after: [first.id] });
      await claim("a");
      await fixture.store.jobs.requestCancel(first.id);
      await fixture.store.jobs.releaseOwner("a");
      await fixture.store.jobs.stopLost({ kinds: ["fine_tune"] });
      expect((await fixture.store.jobs.get(last.id)).state).toBe("FAILED");
    });

    it("wait again when they are tried again after they failed with what they wait for", async () => {
      const { jobs } = fixture.store;
      const [first, second] = [await create(), await create()];
      const last = await create({ after: [first.id, second.id], priority: 9 });
      await claim();
      await claim();
      await succeed(second.id);
      await fail(first.id);
      await expect(jobs.retry(last.id)).rejects.toMatchObject({ reason: "DEPENDENCY_FAILED" });
      expect((await jobs.get(last.id)).state).toBe("FAILED");
      await jobs.retry(first.id);
      expect((await jobs.retry(last.id)).state).toBe("QUEUED");
      expect((await claim())?.id).toBe(first.id);
      expect(await claim()).toBeUndefined();
      await jobs.finish(first.id, 2, { state: "SUCCEEDED", result: {} });
      expect((await claim())?.id).toBe(last.id);
    });

    it("can be cancelled themselves, and leave the others alone", async () => {
      const first = await create();
      const last = await create({ after: [first.id] });
      expect((await fixture.store.jobs.requestCancel(last.id)).state).toBe("CANCELLED");
      await claim();
      await fail(first.id);
      expect((await fixture.store.jobs.get(last.id)).state).toBe("CANCELLED");
    });

    it("are refused when there is nothing to wait for", async () => {
      await expect(create({ after: ["none"] })).rejects.toMatchObject({ code: "not_found" });
      expect((await fixture.store.jobs.list({ pageSize: 10 })).jobs).toEqual([]);
    });

    it("never wait for one that ended while they were made", async () => {
      const other = await fixture.openAgain();
      for (let i = 0; i < 8; i++) {
        const first = await create();
        await claim();
        const [made] = await Promise.allSettled([create({ after: [first.id] }, other), fail(first.id)]);
        if (made.status === "rejected") expect(made.reason).toMatchObject({ reason: "DEPENDENCY_FAILED" });
        else expect((await fixture.store.jobs.get(made.value.id)).state).toBe("FAILED");
      }
    });
  });
}
