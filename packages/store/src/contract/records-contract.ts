import { describe, expect, it } from "vitest";
import type { StoreFixture } from "../../test-fixtures/index.ts";
import { jobSteps, stale } from "./job-steps.ts";

/** What holds for data sets and evaluations. */
export function recordsContract(fixture: StoreFixture): void {
  const { create, claim } = jobSteps(fixture);

  describe("data sets and evaluations", () => {
    it("are registered once", async () => {
      const { datasets } = fixture.store;
      const dataset = { id: "faces", directory: "/data/faces", description: { frames: 3 } };
      const record = await datasets.register(dataset);
      expect(await datasets.get("faces")).toEqual(record);
      await expect(datasets.register(dataset)).rejects.toMatchObject({ reason: "DATASET_EXISTS" });
      await expect(datasets.get("other")).rejects.toMatchObject({ code: "not_found" });
    });

    it("are registered once by several processes at once", async () => {
      const stores = [fixture.store, await fixture.openAgain()];
      const registered = await Promise.allSettled(
        Array.from({ length: 6 }, (_, i) =>
          stores[i % 2]!.datasets.register({ id: "faces", directory: `/data/${i}`, description: {} }),
        ),
      );
      const refused = registered.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
      expect(refused.length).toBe(5);
      for (const error of refused) expect(error).toMatchObject({ reason: "DATASET_EXISTS" });
    });

    it("are listed by id, capitals first, in pages", async () => {
      const { datasets } = fixture.store;
      for (const id of ["b", "a-2", "B", "a_1", "a1"]) await datasets.register({ id, directory: "/", description: {} });
      const listed: string[] = [];
      let pageToken = "";
      do {
        const page = await datasets.list({ pageSize: 2, pageToken });
        listed.push(...page.datasets.map(({ id }) => id));
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
      expect(listed).toEqual(["B", "a-2", "a1", "a_1", "b"]);
    });

    it("keep the first report of a job", async () => {
      const { evaluations } = fixture.store;
      const { id } = await create();
      await claim("a", -1);
      const evaluation = {
        id: "e1",
        modelVersion: "models/m/versions/1",
        dataset: "datasets/d",
        report: { f1: 1, text: "µ \u0000 😀" },
        job: { id, attempt: 1 },
      };
      const first = await evaluations.create(evaluation);
      await claim("b");
      const second = await evaluations.create({ ...evaluation, id: "e2", job: { id, attempt: 2 } });
      expect(second).toEqual(first);
      expect(await evaluations.get("e1")).toEqual(first);
    });

    it("keep the first report of a cross-validation's job", async () => {
      const { crossValidations } = fixture.store;
      const { id } = await create();
      await claim("a", -1);
      const given = { id: "c1", model: "models/m", dataset: "datasets/d", report: { folds: 2 } };
      const first = await crossValidations.create({ ...given, job: { id, attempt: 1 } });
      await claim("b");
      await expect(crossValidations.create({ ...given, job: { id, attempt: 1 } })).rejects.toMatchObject(stale);
      expect(await crossValidations.create({ ...given, id: "c2", job: { id, attempt: 2 } })).toEqual(first);
      expect(await crossValidations.get("c1")).toEqual(first);
      expect(first).toMatchObject(given);
      await expect(crossValidations.get("c2")).rejects.toMatchObject({
        code: "not_found",
        reason: "CROSS_VALIDATION_NOT_FOUND",
      });
    });

    it("are listed newest first, by version, model and data set, in pages, and deleted once no job needs them", async () => {
      const { evaluations } = fixture.store;
      const add = async (id: string, modelVersion: string, dataset = "datasets/d") => {
        const job = await create();
        await claim();
        const evaluation = { id, modelVersion, dataset, report: {}, job: { id: job.id, attempt: 1 } };
        const { createTimeMs } = await evaluations.create(evaluation);
        // Those of the same millisecond have no order.
        while (Date.now() <= createTimeMs);
        return job.id;
      };
      const first = await add("e1", "models/m/versions/1");
      await add("e2", "models/m/versions/2", "datasets/other");
      // Names that are greater and smaller than those of the model's versions, and one that a wildcard would take.
      for (const [i, model] of ["m-1", "m0", "m_2", "mm", "m!"].entries())
        await add(`x${i}`, `models/${model}/versions/1`);
      await add("e3", "models/m/versions/1");
      const ids = async (filter: object) => {
        const listed: string[] = [];
        let pageToken = "";
        do {
          const page = await evaluations.list({ pageSize: 2, pageToken, ...filter });
          listed.push(...page.evaluations.map(({ id }) => id));
          pageToken = page.nextPageToken;
        } while (pageToken !== "");
        return listed;
      };
      expect(await ids({})).toEqual(["e3", "x4", "x3", "x2", "x1", "x0", "e2", "e1"]);
      expect(await ids({ model: "models/m" })).toEqual(["e3", "e2", "e1"]);
      expect(await ids({ model: "models/m/versions/1" })).toEqual(["e3", "e1"]);
      expect(await ids({ model: "models/m", dataset: "datasets/other" })).toEqual(["e2"]);
      await expect(evaluations.list({ pageSize: 1, pageToken: "x" })).rejects.toMatchObject({
        reason: "INVALID_PAGE_TOKEN",
      });

      const inUse = { code: "failed_precondition", reason: "EVALUATION_IN_USE" };
      await expect(evaluations.delete("e1")).rejects.toMatchObject({
        ...inUse,
        message: expect.stringContaining(first),
      });
      await fixture.store.jobs.finish(first, 1, { state: "SUCCEEDED", result: { evaluation: "evaluations/e1" } });
      await evaluations.delete("e1");
      expect(await ids({ model: "models/m" })).toEqual(["e3", "e2"]);
      await expect(evaluations.delete("e1")).rejects.toMatchObject({ reason: "EVALUATION_NOT_FOUND" });
    });

    it("are not deleted while the job that they are a part of has not ended", async () => {
      const { evaluations, jobs } = fixture.store;
      const parent = await create({ children: [{ id: "fold-1", kind: "fine_tune", spec: {} }] });
      await claim();
      const evaluation = { id: "e1", modelVersion: "models/m/versions/1", dataset: "datasets/d", report: {} };
      await evaluations.create({ ...evaluation, job: { id: "fold-1", attempt: 1 } });
      await jobs.finish("fold-1", 1, { state: "SUCCEEDED", result: {} });
      await expect(evaluations.delete("e1")).rejects.toMatchObject({
        reason: "EVALUATION_IN_USE",
        message: expect.stringContaining(parent.id),
      });
      await claim();
      await jobs.finish(parent.id, 1, { state: "SUCCEEDED", result: {} });
      await evaluations.delete("e1");
    });

    it("list those of a version that kept their scores, newest first; none is kept without its scores", async () => {
      const { evaluations, blobs } = fixture.store;
      const scores = (await blobs.put(Buffer.from("scores"))).digest;
      const add = async (id: string, more: object) => {
        const job = await create();
        await claim();
        const evaluation = { id, modelVersion: "models/m/versions/1", dataset: "datasets/d", report: {}, ...more };
        return evaluations.create({ ...evaluation, job: { id: job.id, attempt: 1 } });
      };
      const older = await add("e1", { scores });
      await add("e2", {});
      await add("e3", { scores, dataset: "datasets/other" });
      await add("e4", { scores, modelVersion: "models/m/versions/2" });
      const newer = await add("e5", { scores });
      expect(older.scores).toBe(scores);
      expect(await evaluations.get("e2")).not.toHaveProperty("scores");
      const listed = await evaluations.listScored("models/m/versions/1", "datasets/d");
      expect(listed.map(({ id }) => id)).toEqual(["e5", "e1"]);
      expect(listed[0]).toEqual(newer);
      await expect(add("e6", { scores: "0".repeat(64) })).rejects.toMatchObject({ reason: "BLOB_DAMAGED" });
      await expect(evaluations.get("e6")).rejects.toMatchObject({ code: "not_found" });
    });

    it("are not taken from an attempt that was replaced", async () => {
      const { evaluations, datasets } = fixture.store;
      const { id } = await create();
      await claim("a", -1);
      await claim("b");
      const job = { id, attempt: 1 };
      const evaluation = { id: "e1", modelVersion: "models/m/versions/1", dataset: "datasets/d", report: {}, job };
      await expect(evaluations.create(evaluation)).rejects.toMatchObject(stale);
      const dataset = { id: "faces", directory: "/data/faces", description: {} };
      await expect(datasets.register({ ...dataset, job })).rejects.toMatchObject(stale);
      expect(await datasets.has("faces")).toBe(false);
      const current = { ...dataset, job: { id, attempt: 2 } };
      expect(await datasets.register(current)).toEqual(await datasets.register(current));
    });
  });
}
