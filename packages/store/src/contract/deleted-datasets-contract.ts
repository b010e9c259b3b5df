import { describe, expect, it } from "vitest";
import type { StoreFixture } from "../../test-fixtures/index.ts";
import type { NewChild, NewJob } from "../index.ts";
import { broken, jobSteps } from "./job-steps.ts";

/** What holds for the deletion of data sets. */
export function deletedDatasetsContract(fixture: StoreFixture): void {
  const { create, claim } = jobSteps(fixture);
  const [first, second] = ["1".repeat(64), "2".repeat(64)];
  const register = (digest = first, more: object = {}) =>
    fixture.store.datasets.register({ id: "faces", directory: "/faces", description: {}, digest, ...more });
  const reading = (digest = first): Pick<NewJob, "datasets"> => ({ datasets: [{ id: "faces", digest }] });
  const gone = { code: "not_found", reason: "DATASET_NOT_FOUND", metadata: { name: "datasets/faces" } };
  const inUse = (job: string) => ({
    code: "failed_precondition",
    reason: "DATASET_IN_USE",
    metadata: { name: "datasets/faces", job: `jobs/${job}` },
  });
  const replaced = { code: "failed_precondition", reason: "DATASET_REPLACED" };
  const remove = () => fixture.store.datasets.delete("faces");
  const end = (id: string, state: "SUCCEEDED" | "FAILED", attempt = 1) =>
    fixture.store.jobs.finish(id, attempt, state === "FAILED" ? { state, error: broken } : { state, result: {} });

  describe("a deleted data set", () => {
    it("is gone, and its id is free", async () => {
      const { datasets } = fixture.store;
      await expect(remove()).rejects.toMatchObject(gone);
      await register();
      await remove();
      expect(await datasets.has("faces")).toBe(false);
      await expect(datasets.get("faces")).rejects.toMatchObject(gone);
      await expect(remove()).rejects.toMatchObject(gone);
      await expect(create(reading())).rejects.toMatchObject(gone);
      await expect(fixture.store.jobs.check({ kind: "fine_tune", spec: {}, ...reading() })).rejects.toMatchObject(gone);
      expect(await register(second)).toMatchObject({ digest: second });
      expect(await datasets.get("faces")).toMatchObject({ digest: second });
    });

    it("is one that no job reads which has not ended, in whatever state", async () => {
      const { jobs } = fixture.store;
      await register();
      const waiting = await create();
      const { id } = await create({ ...reading(), after: [waiting.id], maxFailures: 2 });
      const refused = () => expect(remove()).rejects.toMatchObject(inUse(id));
      await refused();
      await claim();
      await end(waiting.id, "SUCCEEDED");
      await claim();
      await refused();
      await jobs.requestPause(id);
      await refused();
      await jobs.finish(id, 1, { state: "PAUSED" });
      await refused();
      await jobs.requestResume(id);
      await claim();
      await jobs.finish(id, 2, { state: "FAILED", error: broken, retryAfterMs: 0 });
      await refused();
      expect((await claim())?.attempt).toBe(3);
      await jobs.requestCancel(id);
      await refused();
      await jobs.finish(id, 3, { state: "CANCELLED" });
      await remove();
    });

    it("is not one whose family goes on, though the child that reads it has ended: the parent may try it again", async () => {
      const { jobs } = fixture.store;
      await register();
      const child: NewChild = { id: "child", kind: "fine_tune", spec: {}, ...reading() };
      const parent = await create({ children: [child, { ...child, id: "other", datasets: [] }] });
      await expect(remove()).rejects.toMatchObject(inUse(parent.id));
      await claim();
      await end("child", "FAILED");
      await expect(remove()).rejects.toMatchObject(inUse(parent.id));
      await claim();
      await end("other", "SUCCEEDED");
      await claim();
      await end(parent.id, "FAILED");
      await jobs.retry("child");
      await expect(remove()).rejects.toMatchObject(inUse("child"));
      await claim();
      await end("child", "FAILED", 2);
      await remove();
      await expect(jobs.retry(parent.id)).rejects.toMatchObject(gone);
      await expect(jobs.retry("child")).rejects.toMatchObject(gone);
      for (const id of ["child", parent.id]) expect((await jobs.get(id)).state).toBe("FAILED");
    });

    it("is not read by a failed job that is tried again, nor is another one of its id; the same is, and stays", async () => {
      const { jobs } = fixture.store;
      await register();
      const { id } = await create(reading());
      await claim();
      await end(id, "FAILED");
      await remove();
      await expect(jobs.retry(id)).rejects.toMatchObject(gone);
      await register(second);
      await expect(jobs.retry(id)).rejects.toMatchObject(replaced);
      expect((await jobs.get(id)).state).toBe("FAILED");
      await remove();
      await register(first, { directory: "/elsewhere" });
      expect((await jobs.retry(id)).state).toBe("QUEUED");
      await expect(remove()).rejects.toMatchObject(inUse(id));
    });

    it("is not read by a job that was planned on it, when another one has its id", async () => {
      await register(second);
      await expect(create(reading())).rejects.toMatchObject(replaced);
      await expect(fixture.store.jobs.check({ kind: "fine_tune", spec: {}, ...reading() })).rejects.toMatchObject(
        replaced,
      );
      expect((await fixture.store.jobs.list({ pageSize: 10 })).jobs).toEqual([]);
    });

    it("is not one that a running attempt has drawn, which might draw it again", async () => {
      const { id } = await create();
      await claim();
      await register(first, { job: { id, attempt: 1 } });
      await expect(remove()).rejects.toMatchObject(inUse(id));
      await end(id, "SUCCEEDED");
      await remove();
    });

    it("is either deleted or read by a job, when both are asked for at once", async () => {
      const other = await fixture.openAgain();
      for (let i = 0; i < 12; i++) {
        await register();
        const both = [() => create(reading()), () => other.datasets.delete("faces")];
        const ended = await Promise.allSettled((i % 2 === 0 ? both : both.reverse()).map((each) => each()));
        const [created, deleted] = i % 2 === 0 ? ended : ended.reverse();
        expect([created!.status, deleted!.status].sort()).toEqual(["fulfilled", "rejected"]);
        const { jobs } = await fixture.store.jobs.list({ pageSize: 1 });
        expect(await fixture.store.datasets.has("faces")).toBe(created!.status === "fulfilled");
        if (created!.status === "rejected") {
          expect(created!.reason).toMatchObject(gone);
          continue;
        }
        expect(deleted).toMatchObject({ reason: inUse(jobs[0]!.id) });
        await fixture.store.jobs.requestCancel(jobs[0]!.id);
        await remove();
      }
    });

    it("is either deleted or read by a failed job that is tried again, when both are asked for at once", async () => {
      const other = await fixture.openAgain();
      for (let i = 0; i < 6; i++) {
        await register();
        const { id } = await create(reading());
        await claim();
        await end(id, "FAILED");
        const both = [() => fixture.store.jobs.retry(id), () => other.datasets.delete("faces")];
        const ended = await Promise.allSettled((i % 2 === 0 ? both : both.reverse()).map((each) => each()));
        expect(ended.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
        if ((await fixture.store.jobs.get(id)).state === "FAILED") continue;
        await fixture.store.jobs.requestCancel(id);
        await remove();
      }
    });

    it("leaves its folder to be removed when the product wrote it, and no other", async () => {
      const { datasets } = fixture.store;
      await register();
      await remove();
      expect(await datasets.deletedFolders()).toEqual([]);
      for (let i = 0; i < 2; i++) {
        expect(await register(first, { directory: "/data/uploaded/faces", managed: true })).toMatchObject({
          managed: true,
        });
        await remove();
        expect(await datasets.deletedFolders()).toEqual(["/data/uploaded/faces"]);
      }
    });

    it("keeps its folder when another one is registered on it before it is removed, and else nobody registers it", async () => {
      const { datasets } = fixture.store;
      const other = await fixture.openAgain();
      for (let i = 0; i < 8; i++) {
        let isThere = true;
        const confirm = async () => {
          if (!isThere) throw new Error("gone");
        };
        const registering = () => register(first, { confirm });
        const removing = () =>
          other.datasets.whileNoneIsRegistered(async (registered) => {
            if (registered.length === 0) isThere = false;
          });
        const both = [registering, removing];
        const ended = await Promise.allSettled((i % 2 === 0 ? both : both.reverse()).map((each) => each()));
        const isRefused = ended.some((each) => each.status === "rejected");
        expect(await datasets.has("faces")).toBe(isThere);
        expect(isRefused).toBe(!isThere);
        if (isThere) await remove();
      }
    });

    it("gives what was kept of its files to the collection of garbage, but for what another one has", async () => {
      const { folders, datasets, blobs } = fixture.store;
      if (folders === undefined) return;
      const keep = (image: string) =>
        folders.keep(async (folder) => {
          await folder.file("labels.jsonl", Buffer.from("labels"));
          await folder.cut();
          await folder.file("images/a.png", Buffer.from(image));
        });
      const [files, others] = [await keep("image"), await keep("another image")];
      await register(first, { files });
      await datasets.register({ id: "others", directory: "/others", description: {}, files: others });
      await remove();
      await fixture.store.collectGarbage({ minAgeMs: -2_000 });
      const shared = files.blobs.filter((digest) => others.blobs.includes(digest));
      expect(shared).toHaveLength(1);
      for (const digest of others.blobs) expect(await blobs.has(digest)).toBe(true);
      for (const digest of files.blobs) expect(await blobs.has(digest)).toBe(shared.includes(digest));
      // What a machine copied of it does not stand in the way of the next one.
      await register(second, { files: await keep("image") });
      expect((await datasets.get("faces")).files).toBe(files.digest);
      await (await fixture.openAgain()).folders!.copy(files.digest);
    });
  });
}
