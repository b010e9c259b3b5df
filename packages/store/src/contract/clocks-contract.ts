import { afterEach, describe, expect, it, vi } from "vitest";
import type { StoreFixture } from "../../test-fixtures/index.ts";
import { GARBAGE_MIN_AGE_MS, LONGEST_LEASE_MS, LONGEST_RETRY_MS } from "../index.ts";
import { broken, jobSteps } from "./job-steps.ts";

const HOURS_MS = 7_200_000;

/** What holds when clocks jump: a machine's, or the database's. */
export function clocksContract(fixture: StoreFixture): void {
  const { create, claim } = jobSteps(fixture);
  /** Leaves a time as it stands there when the database's clock was wrong as it was written, and is right now. */
  const shift = async (column: "lease_until" | "retry_at" | "attempt_time" | "create_time", byMs: number) => {
    const statement = `update jobs set ${column} = ${column} + ${byMs}`;
    await fixture.driver.execute(fixture.location, { sqlite: statement, postgres: statement });
  };

  describe("when a machine's clock jumps", () => {
    afterEach(() => {
      vi.useRealTimers();
    });

    it("leases end by the database's", async () => {
      const { id } = await create();
      await claim("a");
      for (const offsetMs of [LONGEST_LEASE_MS, -2 * LONGEST_LEASE_MS]) {
        vi.setSystemTime(Date.now() + offsetMs);
        expect(await claim("b")).toBeUndefined();
      }
      expect((await fixture.store.jobs.get(id)).attempt).toBe(1);
    });

    it("nothing young is removed as garbage", async () => {
      const { digest } = await fixture.store.blobs.put(Buffer.from("about to be named"));
      vi.setSystemTime(Date.now() + 2 * GARBAGE_MIN_AGE_MS);
      expect(await fixture.store.collectGarbage()).toEqual({ objects: 0, sizeBytes: 0 });
      vi.useRealTimers();
      expect(await fixture.store.blobs.has(digest)).toBe(true);
    });
  });

  describe("when the database's clock was far ahead and is right again", () => {
    it("nobody waits for the end of a lease that it gave", async () => {
      const { jobs } = fixture.store;
      const [running, paused] = [await create(), await create()];
      for (const { id } of [running, paused]) expect(await claim("a")).toMatchObject({ id, attempt: 1 });
      await jobs.requestPause(paused.id);
      await shift("lease_until", HOURS_MS);
      expect(await claim("b")).toMatchObject({ id: running.id, attempt: 2 });
      await jobs.stopLost({ kinds: ["fine_tune"] });
      expect((await jobs.get(paused.id)).state).toBe("PAUSED");
    });

    it("a job that was created then does not wait behind later ones, and is listed by the time that was said", async () => {
      const early = await create();
      await shift("create_time", HOURS_MS);
      const late = await create({ children: [{ id: "child", kind: "fine_tune", spec: {} }] });
      const listed = (await fixture.store.jobs.list({ pageSize: 10 })).jobs.map(({ id }) => id);
      expect(listed[0]).toBe(early.id);
      for (const id of [early.id, "child"]) {
        expect((await claim())?.id).toBe(id);
        await fixture.store.jobs.finish(id, 1, { state: "SUCCEEDED", result: {} });
      }
      expect((await claim())?.id).toBe(late.id);
    });

    it("nobody waits for a retry until the time that it said", async () => {
      const { id } = await create();
      await claim();
      await fixture.store.jobs.finish(id, 1, { state: "FAILED", error: broken, retryAfterMs: LONGEST_RETRY_MS });
      expect(await claim()).toBeUndefined();
      await shift("retry_at", HOURS_MS);
      expect(await claim()).toMatchObject({ id, attempt: 2 });
    });
  });

  it("an attempt has run as long as was measured where it ran, whatever the database's clock did meanwhile", async () => {
    const { jobs } = fixture.store;
    const { id } = await create({ timeLimitMs: 60_000 });
    await claim();
    await shift("attempt_time", -HOURS_MS);
    await jobs.finish(id, 1, { state: "INTERRUPTED" }, 500);
    expect(await claim()).toMatchObject({ id, attempt: 2, runMs: 500 });
    expect((await jobs.finish(id, 2, { state: "SUCCEEDED", result: {} }, 20)).runMs).toBe(520);
  });

  it("no lease and no retry is longer than the longest, which would be taken for a wrong clock's", async () => {
    const { jobs } = fixture.store;
    const { id } = await create();
    await claim("a", 2 * LONGEST_LEASE_MS);
    expect(await claim("b")).toBeUndefined();
    await jobs.heartbeat(id, 1, 2 * LONGEST_LEASE_MS);
    expect(await claim("b")).toBeUndefined();
    await jobs.finish(id, 1, { state: "FAILED", error: broken, retryAfterMs: 2 * LONGEST_RETRY_MS });
    expect(await claim("b")).toBeUndefined();
  });
}
