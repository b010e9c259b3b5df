import { describe, expect, it } from "vitest";
import type { StoreFixture } from "../../test-fixtures/index.ts";
import { broken, jobSteps, stale } from "./job-steps.ts";

/** What holds for versions that jobs make, and for jobs that need what others make. */
export function madeVersionsContract(fixture: StoreFixture): void {
  const { create, claim } = jobSteps(fixture);
  const make = (id: string, attempt = 1) =>
    fixture.store.models.createVersion({ model: "demo", card: { kind: "vit" }, artifacts: [], job: { id, attempt } });
  const finish = (id: string, attempt = 1) =>
    fixture.store.jobs.finish(id, attempt, { state: "SUCCEEDED", result: {} });
  const fail = (id: string, attempt = 1) => fixture.store.jobs.finish(id, attempt, { state: "FAILED", error: broken });
  /** The jobs for which a version is not deleted. */
  const users = async (version = "1") => {
    const error: unknown = await fixture.store.models.deleteVersion("demo", version).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "failed_precondition", reason: "MODEL_VERSION_IN_USE" });
    const [, named] = /is used by (.*)$/.exec((error as Error).message)!;
    return named!.split(", ").map((name) => name.replace(/^jobs\//, ""));
  };

  describe("versions that jobs make", () => {
    it("cannot be deleted before the job has ended, also when it was lost in between", async () => {
      const { jobs, models } = fixture.store;
      const { id } = await create();
      await claim("a");
      const made = await make(id);
      expect(await users()).toEqual([id]);
      await jobs.releaseOwner("a");
      expect(await users()).toEqual([id]);
      await claim("b");
      expect(await make(id, 2)).toEqual(made);
      await finish(id, 2);
      await models.deleteVersion("demo", "1");
    });

    it("cannot be deleted before the jobs that were to wait for it have ended", async () => {
      const { models } = fixture.store;
      const training = await create();
      const evaluations = [await create({ after: [training.id] }), await create({ after: [training.id] })];
      const [first, second] = evaluations.map(({ id }) => id) as [string, string];
      await claim();
      await make(training.id);
      expect(await users()).toEqual([training.id, first, second]);
      await finish(training.id);
      expect(await users()).toEqual([first, second]);
      await claim();
      await claim();
      await finish(first);
      expect(await users()).toEqual([second]);
      await finish(second);
      const late = await create({ after: [training.id] });
      expect(await users()).toEqual([late.id]);
      await fixture.store.jobs.requestCancel(late.id);
      await models.deleteVersion("demo", "1");
    });

    it("cannot be deleted before the job that its job is a part of has ended", async () => {
      const { models } = fixture.store;
      const part = { kind: "fine_tune", spec: {} };
      const children = [
        { ...part, id: "train" },
        { ...part, id: "evaluate", after: ["train"] },
      ];
      const parent = await create({ children });
      await claim();
      await make("train");
      await finish("train");
      expect((await users()).toSorted()).toEqual([parent.id, "evaluate"].toSorted());
      await claim();
      await finish("evaluate");
      expect(await users()).toEqual([parent.id]);
      await claim();
      await finish(parent.id);
      await models.deleteVersion("demo", "1");
    });

    it("are kept by the attempts that learn of them, and asked for when their jobs are tried again", async () => {
      const { jobs, models } = fixture.store;
      const training = await create();
      await claim();
      await make(training.id);
      await finish(training.id);
      const { id } = await create();
      await claim();
      await expect(models.keepVersion("demo", "1", { id, attempt: 2 })).rejects.toMatchObject(stale);
      const missing = models.keepVersion("demo", "9", { id, attempt: 1 });
      await expect(missing).rejects.toMatchObject({ reason: "MODEL_VERSION_NOT_FOUND" });
      for (let i = 0; i < 2; i++) await models.keepVersion("demo", "1", { id, attempt: 1 });
      expect(await users()).toEqual([id]);
      await fail(id);
      await models.deleteVersion("demo", "1");
      await expect(jobs.retry(id)).rejects.toMatchObject({ reason: "MODEL_VERSION_NOT_FOUND" });
    });

    it("are made again by a job that is tried again after what it had made was deleted", async () => {
      const { jobs, models } = fixture.store;
      const { id } = await create();
      await claim();
      await make(id);
      await fail(id);
      await models.deleteVersion("demo", "1");
      await jobs.retry(id);
      await claim();
      const again = await make(id, 2);
      expect(again).toMatchObject({ version: "2", job: id });
      expect(await models.getVersion("demo", "2")).toEqual(again);
      expect(await make(id, 2)).toEqual(again);
      await finish(id, 2);
    });

    it("are either deleted or needed by a new job, when both are asked for at once", async () => {
      const other = await fixture.openAgain();
      const ended = new Set<string>();
      for (let i = 1; i <= 6; i++) {
        const training = await create();
        await claim();
        await make(training.id);
        await finish(training.id);
        const needs = { after: [training.id], modelVersions: [{ model: "demo", version: String(i) }] };
        const [made, deleted] = await Promise.allSettled([
          create(needs, other),
          fixture.store.models.deleteVersion("demo", String(i)),
        ]);
        ended.add(`${made.status} ${deleted.status}`);
        if (made.status === "fulfilled") await fixture.store.jobs.requestCancel(made.value.id);
        else expect(made.reason).toMatchObject({ reason: "MODEL_VERSION_NOT_FOUND" });
        if (deleted.status === "rejected") expect(deleted.reason).toMatchObject({ reason: "MODEL_VERSION_IN_USE" });
      }
      expect(ended).not.toContain("fulfilled fulfilled");
      expect(ended).not.toContain("rejected rejected");
    });
  });
}
