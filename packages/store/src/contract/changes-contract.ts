import { describe, expect, it } from "vitest";
import type { StoreFixture } from "../../test-fixtures/index.ts";
import { jobSteps, log } from "./job-steps.ts";

/** What watchers rely on. */
export function changesContract(fixture: StoreFixture): void {
  const { create, claim } = jobSteps(fixture);

  describe("changes", () => {
    it("tell nothing when a claim finds no job", async () => {
      const turns = fixture.store.changes(AbortSignal.timeout(300))[Symbol.asyncIterator]();
      await turns.next();
      const second = turns.next();
      expect(await claim()).toBeUndefined();
      expect((await second).done).toBe(true);
    });

    it("tell nothing of heartbeats, one's own and another process's", async () => {
      const other = await fixture.openAgain();
      const { id } = await create();
      await claim();
      for (const watching of [fixture.store, other]) {
        const turns = watching.changes(AbortSignal.timeout(600))[Symbol.asyncIterator]();
        await turns.next();
        const second = turns.next();
        for (let i = 0; i < 3; i++) await fixture.store.jobs.heartbeat(id, 1, 30_000);
        expect((await second).done).toBe(true);
      }
    });

    it("tell of another process's write among heartbeats", async () => {
      const other = await fixture.openAgain();
      const { id } = await create();
      await claim();
      const stop = new AbortController();
      const turns = other.changes(stop.signal)[Symbol.asyncIterator]();
      await turns.next();
      const told = turns.next();
      await fixture.store.jobs.heartbeat(id, 1, 30_000);
      await fixture.store.jobs.append(id, 1, [log("an event")], 0);
      await fixture.store.jobs.heartbeat(id, 1, 30_000);
      expect((await told).done).toBe(false);
      stop.abort();
    });

    it("tell of own writes and of those of another process", async () => {
      const other = await fixture.openAgain();
      const stop = new AbortController();
      const turns = fixture.store.changes(stop.signal)[Symbol.asyncIterator]();
      await turns.next();
      const own = turns.next();
      await create();
      await own;
      const theirs = turns.next();
      await create({}, other);
      await theirs;
      const end = turns.next();
      stop.abort();
      expect((await end).done).toBe(true);
    });

    it("tell of an alias that another process moved", async () => {
      const other = await fixture.openAgain();
      await other.models.createVersion({ model: "m", card: {}, artifacts: [] });
      const target = { model: "m", version: "1" };
      const moving = async () => other.models.setAlias({ model: "default", alias: "live", target });
      let moved: Promise<unknown> | undefined;
      for await (const _ of fixture.store.changes(new AbortController().signal)) {
        moved ??= moving();
        if ((await fixture.store.models.resolveAlias("default", "live")) !== undefined) break;
      }
      expect(await moved).toMatchObject({ target });
    });

    it("tell of an alias that another process deleted", async () => {
      const other = await fixture.openAgain();
      await other.models.createVersion({ model: "m", card: {}, artifacts: [] });
      const alias = { model: "default", alias: "live" };
      await other.models.setAlias({ ...alias, target: { model: "m", version: "1" } });
      const turns = fixture.store.changes(AbortSignal.timeout(10_000))[Symbol.asyncIterator]();
      await turns.next();
      const told = turns.next();
      await other.models.deleteAlias(alias);
      expect((await told).done).toBe(false);
      expect(await fixture.store.models.resolveAlias("default", "live")).toBeUndefined();
    });

    it("can be watched again after the last watcher left", async () => {
      for (let i = 0; i < 3; i++) {
        const stop = new AbortController();
        const turns = fixture.store.changes(stop.signal)[Symbol.asyncIterator]();
        await turns.next();
        const next = turns.next();
        await create();
        expect((await next).done).toBe(false);
        stop.abort();
        expect((await turns.next()).done).toBe(true);
      }
    });
  });
}
