import { describe, expect, it } from "vitest";
import type { StoreFixture } from "../../test-fixtures/index.ts";
import { jobSteps } from "./job-steps.ts";

/** What holds for the removal of what nothing refers to. */
export function garbageContract(fixture: StoreFixture): void {
  const { create, claim } = jobSteps(fixture);
  const put = async (text: string) => {
    const blob = await fixture.store.blobs.put(Buffer.from(text));
    return { role: text, ...blob };
  };
  // S3 tells times in whole seconds; what was stored a moment ago is older than minus two seconds.
  const collect = () => fixture.store.collectGarbage({ minAgeMs: -2_000 });

  describe("garbage", () => {
    it("is every file of no living version, and nothing else", async () => {
      const { models, blobs } = fixture.store;
      const [shared, own, kept, stray] = [await put("shared"), await put("own"), await put("kept"), await put("stray")];
      await models.createVersion({ model: "a", card: {}, artifacts: [shared, own] });
      await models.createVersion({ model: "b", card: {}, artifacts: [shared, kept] });
      expect(await collect()).toEqual({ objects: 1, sizeBytes: 5 });
      expect(await blobs.has(stray.digest)).toBe(false);
      await models.deleteVersion("a", "1");
      expect(await collect()).toEqual({ objects: 1, sizeBytes: 3 });
      expect(await blobs.has(own.digest)).toBe(false);
      for (const { digest } of [shared, kept]) expect(await blobs.has(digest)).toBe(true);
      expect(await collect()).toEqual({ objects: 0, sizeBytes: 0 });
    });

    it("is not what is young", async () => {
      const { digest } = await put("about to be named");
      expect(await fixture.store.collectGarbage({ minAgeMs: 3_600_000 })).toEqual({ objects: 0, sizeBytes: 0 });
      expect(await fixture.store.blobs.has(digest)).toBe(true);
    });

    it("is never a file of a version, when versions are made while it is collected", async () => {
      const other = await fixture.openAgain();
      for (let i = 0; i < 6; i++) {
        const artifact = await put(`file ${i}`);
        const [made] = await Promise.allSettled([
          fixture.store.models.createVersion({ model: "m", card: { i }, artifacts: [artifact] }),
          other.collectGarbage({ minAgeMs: -2_000 }),
        ]);
        const isThere = await fixture.store.blobs.has(artifact.digest);
        expect(isThere).toBe(made.status === "fulfilled");
        if (made.status === "rejected") expect(made.reason).toMatchObject({ code: "data_loss" });
      }
    });

    it("is a checkpoint that was replaced, and every one of a job that has ended", async () => {
      const { jobs, checkpoints } = fixture.store;
      const [running, ended] = [await create(), await create()];
      await claim();
      const current = await checkpoints.of(running.id).put(Buffer.from("current"));
      await jobs.append(running.id, 1, [{ kind: "checkpoint", step: 2, ...current }]);
      // As left by a process that was killed before it removed them.
      const replaced = await checkpoints.of(running.id).put(Buffer.from("replaced"));
      await jobs.requestCancel(ended.id);
      const left = await checkpoints.of(ended.id).put(Buffer.from("left"));
      expect((await collect()).objects).toBe(2);
      expect(await checkpoints.of(running.id).has(current.digest)).toBe(true);
      expect(await checkpoints.of(running.id).has(replaced.digest)).toBe(false);
      expect(await checkpoints.of(ended.id).has(left.digest)).toBe(false);
      expect(await checkpoints.jobs()).toEqual([running.id]);
    });
  });
}
