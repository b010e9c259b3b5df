import { describe, expect, it } from "vitest";
import { persistently, type StoreFixture } from "../../test-fixtures/index.ts";
import { jobSteps, log } from "./job-steps.ts";

/** What holds when connections to the database are lost, for drivers that have any. */
export function connectionsContract(fixture: StoreFixture): void {
  const { create, claim, events } = jobSteps(fixture);

  describe("connections that are cut", () => {
    it("neither lose nor double an event, for writers and for followers", async () => {
      const { jobs } = fixture.store;
      const other = await fixture.openAgain();
      const { id } = await create();
      await claim();
      const seen: number[] = [];
      const { signal } = new AbortController();
      const following = persistently(async () => {
        for await (const { number } of other.jobs.follow(id, { after: seen.at(-1) ?? 0, signal })) seen.push(number);
      });
      for (let i = 0; i < 12; i++) {
        const writing = persistently(() => jobs.append(id, 1, [log(`${i}`)], i));
        if (i % 3 === 1) await fixture.driver.cutConnections(fixture.location);
        await writing;
      }
      await persistently(async () => {
        const { state } = await jobs.get(id);
        if (state === "RUNNING") await jobs.finish(id, 1, { state: "SUCCEEDED", result: {} });
      });
      await following;
      const all = await persistently(() => events(id));
      expect(all.flatMap((event) => (event.kind === "log" ? event.text : []))).toEqual(
        Array.from({ length: 12 }, (_, i) => `${i}`),
      );
      expect(seen).toEqual(all.map(({ number }) => number));
    });
  });

  describe("a database whose server is killed", () => {
    it("has all that it said it had", async () => {
      const { jobs } = fixture.store;
      const { id } = await create();
      await claim();
      for (let i = 0; i < 6; i++) {
        const killing = i % 3 === 1 ? fixture.driver.crash() : undefined;
        await persistently(() => jobs.append(id, 1, [log(`${i}`)], i));
        await killing;
      }
      await fixture.driver.crash();
      const all = await persistently(() => events(id));
      expect(all.flatMap((event) => (event.kind === "log" ? event.text : []))).toEqual([..."012345"]);
      expect(all.map(({ number }) => number)).toEqual(all.map((_, i) => i + 1));
    });
  });
}
