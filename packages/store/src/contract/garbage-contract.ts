import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { StoreFixture } from "../../test-fixtures/index.ts";
import { type Blobs, GARBAGE_MIN_AGE_MS } from "../index.ts";
import { openObjects } from "../objects/open-objects.ts";
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

    it("is not a damaged file of a version, and nothing is left of one when the version is gone", async () => {
      const { models, blobs } = fixture.store;
      const file = await put("whole");
      await models.createVersion({ model: "a", card: {}, artifacts: [file] });
      await fixture.driver.damage(fixture.location, "blobs", file.digest, Buffer.from("Whole"));
      await expect(blobs.get(file.digest)).rejects.toMatchObject({ reason: "BLOB_DAMAGED" });
      expect(await collect()).toEqual({ objects: 0, sizeBytes: 0 });
      // That it is damaged is still known.
      await put("whole");
      expect((await blobs.get(file.digest)).toString()).toBe("whole");
      await fixture.driver.damage(fixture.location, "blobs", file.digest, Buffer.from("Whole"));
      await expect(blobs.get(file.digest)).rejects.toMatchObject({ reason: "BLOB_DAMAGED" });
      await models.deleteVersion("a", "1");
      expect((await collect()).objects).toBeGreaterThan(0);
      // What was noted of it goes after it.
      await collect();
      for await (const { digest } of blobs.list()) expect.unreachable(`${digest} is left`);
    });

    it("is not what a job's result names", async () => {
      const [table, stray] = [await put("table"), await put("no table")];
      const { id } = await create();
      await claim();
      const digests = { tables: [{ format: "csv", digest: table.digest }] };
      await fixture.store.jobs.finish(id, 1, { state: "SUCCEEDED", result: digests });
      expect(await collect()).toEqual({ objects: 1, sizeBytes: stray.sizeBytes });
      expect(await fixture.store.blobs.has(table.digest)).toBe(true);
    });

    it("is what no evaluation has scored, and nothing that one has", async () => {
      const { evaluations, blobs } = fixture.store;
      const { id } = await create();
      await claim();
      const [scores, stray] = [await put("scores"), await put("stray")];
      const evaluation = { id: "e1", modelVersion: "models/m/versions/1", dataset: "datasets/d", report: {} };
      await evaluations.create({ ...evaluation, scores: scores.digest, job: { id, attempt: 1 } });
      expect(await collect()).toEqual({ objects: 1, sizeBytes: 5 });
      expect(await blobs.has(stray.digest)).toBe(false);
      expect(await blobs.has(scores.digest)).toBe(true);
    });

    it("is never what an evaluation has scored, when it is stored again and named while it is collected", async () => {
      const other = await fixture.openAgain();
      for (let i = 0; i < 6; i++) {
        const { id } = await create();
        await claim();
        const { digest } = await put(`scores ${i}`);
        await fixture.driver.makeOld(fixture.location, "blobs", digest);
        const evaluation = { id: `e${i}`, modelVersion: "models/m/versions/1", dataset: "datasets/d", report: {} };
        const publish = async () => {
          const scores = (await put(`scores ${i}`)).digest;
          await fixture.store.evaluations.create({ ...evaluation, scores, job: { id, attempt: 1 } });
        };
        const both = [publish, () => other.collectGarbage()];
        await Promise.all((i % 2 === 0 ? both : both.reverse()).map((each) => each()));
        expect(await fixture.store.blobs.has(digest)).toBe(true);
      }
    });

    it("is not what is young", async () => {
      const { digest } = await put("about to be named");
      expect(await fixture.store.collectGarbage()).toEqual({ objects: 0, sizeBytes: 0 });
      expect(await fixture.store.blobs.has(digest)).toBe(true);
      await fixture.driver.makeOld(fixture.location, "blobs", digest);
      expect(await fixture.store.collectGarbage()).toEqual({ objects: 1, sizeBytes: 17 });
      expect(await fixture.store.blobs.has(digest)).toBe(false);
    });

    it("is not what was stored again after a collection saw how old it was", async () => {
      const { blobs } = fixture.store;
      const { digest } = await put("old");
      await fixture.driver.makeOld(fixture.location, "blobs", digest);
      for await (const object of blobs.list()) {
        expect(Date.now() - object.timeMs).toBeGreaterThan(GARBAGE_MIN_AGE_MS);
        await put("old");
        expect(await object.removeOlderThan(Date.now() - GARBAGE_MIN_AGE_MS)).toBe(false);
      }
      expect(await blobs.has(digest)).toBe(true);
    });

    it("is not what is stored again, also when a collection that is under way removes what was there", async () => {
      const path = join(fixture.location.directory, "upload");
      const store = {
        put: (blobs: Blobs) => blobs.put(Buffer.from("old")),
        async adopt(blobs: Blobs) {
          await writeFile(path, "old");
          return blobs.adopt(path);
        },
      };
      const { digest } = await put("old");
      for (const way of ["put", "adopt"] as const) {
        await fixture.driver.makeOld(fixture.location, "blobs", digest);
        const { directory, objects: address } = fixture.location;
        let removed = 0;
        const objects = await openObjects(directory, address, async (work) => {
          // Whoever waits for collections to end finds out here what they did.
          await fixture.store.blobs.remove(digest);
          removed++;
          return work();
        });
        expect((await store[way](objects.blobs)).digest).toBe(digest);
        await objects.close();
        expect(removed).toBe(1);
        expect((await fixture.store.blobs.get(digest)).toString()).toBe("old");
      }
    });

    it("is never a file of a version, when it is stored again and named while it is collected", async () => {
      const other = await fixture.openAgain();
      for (let i = 0; i < 12; i++) {
        const { digest } = await put(`file ${i}`);
        await fixture.driver.makeOld(fixture.location, "blobs", digest);
        const publish = async () => {
          const artifacts = [await put(`file ${i}`)];
          await fixture.store.models.createVersion({ model: "m", card: { i }, artifacts });
        };
        const both = [publish, () => other.collectGarbage()];
        await Promise.all((i % 2 === 0 ? both : both.reverse()).map((each) => each()));
        expect(await fixture.store.blobs.has(digest)).toBe(true);
      }
    });

    it("is never the checkpoint that an attempt goes on from, when it is stored again while it is collected", async () => {
      const { jobs, checkpoints } = fixture.store;
      const other = await fixture.openAgain();
      const { id } = await create();
      await claim();
      for (let step = 0; step < 12; step++) {
        const save = () => checkpoints.of(id).put(Buffer.from(`step ${step}`));
        // Of an attempt that ended before it could tell: training is exact, and the next one saves the same bytes.
        const { digest } = await save();
        await fixture.driver.makeOld(fixture.location, `checkpoints/${id}`, digest);
        const goOn = async () => jobs.append(id, 1, [{ kind: "checkpoint", step, ...(await save()) }], step);
        await Promise.all([goOn(), other.collectGarbage()]);
        expect(await checkpoints.of(id).has(digest)).toBe(true);
      }
    });

    it("is a checkpoint that was replaced, and every one of a job that has ended", async () => {
      const { jobs, checkpoints } = fixture.store;
      const [running, ended] = [await create(), await create()];
      await claim();
      const before = await checkpoints.of(running.id).put(Buffer.from("the one before"));
      const current = await checkpoints.of(running.id).put(Buffer.from("current"));
      const saved = [before, current].map((blob, i) => ({ kind: "checkpoint", step: 1 + i, ...blob }) as const);
      await jobs.append(running.id, 1, saved, 0);
      // As left by a process that was killed before it removed them.
      const replaced = await checkpoints.of(running.id).put(Buffer.from("replaced"));
      await jobs.requestCancel(ended.id);
      const left = await checkpoints.of(ended.id).put(Buffer.from("left"));
      expect((await collect()).objects).toBe(2);
      expect(await checkpoints.of(running.id).has(current.digest)).toBe(true);
      expect(await checkpoints.of(running.id).has(before.digest)).toBe(true);
      expect(await checkpoints.of(running.id).has(replaced.digest)).toBe(false);
      expect(await checkpoints.of(ended.id).has(left.digest)).toBe(false);
      expect(await checkpoints.jobs()).toEqual([running.id]);
    });
  });
}
