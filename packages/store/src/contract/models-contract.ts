import { describe, expect, it } from "vitest";
import type { StoreFixture } from "../../test-fixtures/index.ts";
import { broken, jobSteps } from "./job-steps.ts";

/** What holds for models and their versions. */
export function modelsContract(fixture: StoreFixture): void {
  const { create, claim } = jobSteps(fixture);
  const version = async (model = "demo") => {
    const { id } = await create();
    await claim();
    return fixture.store.models.createVersion({ model, card: { kind: "vit" }, artifacts: [], job: { id, attempt: 1 } });
  };
  const imported = { model: "demo", card: { kind: "vit" }, artifacts: [] };
  const live = { model: "default", alias: "live" };

  describe("models", () => {
    it("count their versions, and give a job one version only", async () => {
      const { models } = fixture.store;
      expect((await version()).version).toBe("1");
      const second = await version();
      expect(second.version).toBe("2");
      const job = { id: second.job!, attempt: 1 };
      expect(await models.createVersion({ model: "demo", card: {}, artifacts: [], job })).toEqual(second);
      const { versions } = await models.listVersions("demo", { pageSize: 10 });
      expect(versions.map((each) => each.version)).toEqual(["2", "1"]);
      expect(await models.getVersion("demo", "2")).toEqual(second);
      await expect(models.getVersion("demo", "3")).rejects.toMatchObject({ reason: "MODEL_VERSION_NOT_FOUND" });
      await expect(models.listVersions("none", { pageSize: 1 })).rejects.toMatchObject({ code: "not_found" });
    });

    it("have versions that no job made", async () => {
      const { models } = fixture.store;
      expect(await models.createVersion(imported)).not.toHaveProperty("job");
      expect((await models.createVersion(imported)).version).toBe("2");
    });

    it("give every number once to versions that are made at once in several processes", async () => {
      const stores = [fixture.store, await fixture.openAgain()];
      const made = await Promise.all(
        Array.from({ length: 10 }, (_, i) => stores[i % 2]!.models.createVersion({ ...imported, card: { i } })),
      );
      const numbers = made.map((each) => Number(each.version)).sort((a, b) => a - b);
      expect(numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    });

    it("have one version of a request that is repeated, also in several processes at once", async () => {
      const stores = [fixture.store, await fixture.openAgain()];
      const { models } = fixture.store;
      const request = { id: "r", digest: "1".repeat(64) };
      expect(await models.requestedVersion(request)).toBeUndefined();
      const made = await Promise.all(
        Array.from({ length: 8 }, (_, i) => stores[i % 2]!.models.createVersion({ ...imported, request })),
      );
      expect(new Set(made.map((each) => each.version))).toEqual(new Set(["1"]));
      expect(await models.requestedVersion(request)).toEqual(made[0]);
      const other = { id: "r", digest: "2".repeat(64) };
      const reused = { code: "already_exists", reason: "REQUEST_ID_REUSED" };
      await expect(models.requestedVersion(other)).rejects.toMatchObject(reused);
      await expect(models.createVersion({ ...imported, request: other })).rejects.toMatchObject(reused);
      await models.deleteVersion("demo", "1");
      const gone = { reason: "MODEL_VERSION_NOT_FOUND" };
      await expect(models.requestedVersion(request)).rejects.toMatchObject(gone);
      await expect(models.createVersion({ ...imported, request })).rejects.toMatchObject(gone);
    });

    it("have versions with a digest of what they hold, under whatever name", async () => {
      const { models, blobs } = fixture.store;
      const artifacts = [{ role: "onnx", ...(await blobs.put(Buffer.from("weights"))) }];
      const one = await models.createVersion({ model: "one", card: { a: 1, b: 2 }, artifacts });
      const two = await models.createVersion({ model: "two", card: { b: 2, a: 1 }, artifacts });
      expect(one.digest).toMatch(/^[0-9a-f]{64}$/);
      expect(two.digest).toBe(one.digest);
      expect((await models.createVersion({ model: "one", card: { a: 2, b: 2 }, artifacts })).digest).not.toBe(
        one.digest,
      );
      expect((await models.createVersion({ model: "one", card: { a: 1, b: 2 }, artifacts: [] })).digest).not.toBe(
        one.digest,
      );
    });

    it("have no version whose files are not all there", async () => {
      const { models, blobs } = fixture.store;
      const there = { role: "onnx", ...(await blobs.put(Buffer.from("weights"))) };
      const missing = { role: "safetensors", digest: "0".repeat(64), sizeBytes: 1 };
      const torn = models.createVersion({ model: "torn", card: {}, artifacts: [there, missing] });
      await expect(torn).rejects.toMatchObject({ code: "data_loss" });
      expect((await models.list({ pageSize: 10 })).models).toEqual([]);
    });

    it("keep a version that an alias or a job that has not ended needs, and delete it afterwards", async () => {
      const { models, jobs } = fixture.store;
      await models.createVersion(imported);
      await models.createVersion({ ...imported, card: { other: true } });
      const alias = await models.setAlias({ ...live, target: { model: "demo", version: "1" } });
      const { id } = await create({ modelVersions: [{ model: "demo", version: "1" }] });
      const inUse = { code: "failed_precondition", reason: "MODEL_VERSION_IN_USE" };
      await expect(models.deleteVersion("demo", "1")).rejects.toMatchObject(inUse);
      await expect(models.deleteVersion("demo", "1")).rejects.toThrow(`models/default@live, jobs/${id}`);
      await models.setAlias({ ...live, target: { model: "demo", version: "2" }, etag: alias.etag });
      await expect(models.deleteVersion("demo", "1")).rejects.toMatchObject(inUse);
      await jobs.requestCancel(id);
      await models.deleteVersion("demo", "1");
      const gone = { reason: "MODEL_VERSION_NOT_FOUND" };
      await expect(models.getVersion("demo", "1")).rejects.toMatchObject(gone);
      await expect(models.deleteVersion("demo", "1")).rejects.toMatchObject(gone);
      await expect(models.setAlias({ ...live, target: { model: "demo", version: "1" } })).rejects.toMatchObject(gone);
      await expect(create({ modelVersions: [{ model: "demo", version: "1" }] })).rejects.toMatchObject(gone);
      expect((await models.listVersions("demo", { pageSize: 10 })).versions.map((each) => each.version)).toEqual(["2"]);
    });

    it("keep a version again when the failed job that reads it is tried again", async () => {
      const { models, jobs } = fixture.store;
      await models.createVersion(imported);
      const { id } = await create({ modelVersions: [{ model: "demo", version: "1" }] });
      const fail = async (attempt: number) => {
        await claim();
        await jobs.finish(id, attempt, { state: "FAILED", error: broken });
      };
      await fail(1);
      await jobs.retry(id);
      await expect(models.deleteVersion("demo", "1")).rejects.toMatchObject({ reason: "MODEL_VERSION_IN_USE" });
      await fail(2);
      await models.deleteVersion("demo", "1");
      await expect(jobs.retry(id)).rejects.toMatchObject({ reason: "MODEL_VERSION_NOT_FOUND" });
      expect((await jobs.get(id)).state).toBe("FAILED");
    });

    it("never give the number of a deleted version again", async () => {
      const { models } = fixture.store;
      await models.createVersion(imported);
      await models.deleteVersion("demo", "1");
      expect((await models.list({ pageSize: 10 })).models[0]).not.toHaveProperty("latestVersion");
      expect((await models.createVersion(imported)).version).toBe("2");
    });

    it("have a version that is either promoted or deleted, when both are asked for at once", async () => {
      const other = await fixture.openAgain();
      for (let i = 1; i <= 6; i++) {
        await fixture.store.models.createVersion({ ...imported, card: { i } });
        const target = { model: "demo", version: String(i) };
        const [promoted, deleted] = await Promise.allSettled([
          fixture.store.models.setAlias({ ...live, target }),
          other.models.deleteVersion("demo", target.version),
        ]);
        expect([promoted.status, deleted.status].sort()).toEqual(["fulfilled", "rejected"]);
      }
    });
  });
}
