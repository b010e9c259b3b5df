import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { StoreFixture } from "../../test-fixtures/index.ts";
import type { Folders, KeptFolder } from "../index.ts";
import { jobSteps, stale } from "./job-steps.ts";

/** What holds for the files of data sets, on stores that keep them. */
export function datasetFilesContract(fixture: StoreFixture): void {
  const { create, claim } = jobSteps(fixture);
  const collect = () => fixture.store.collectGarbage({ minAgeMs: -2_000 });
  const keep = (folders: Folders, text = "image"): Promise<KeptFolder> =>
    folders.keep(async (folder) => {
      await folder.file("labels.jsonl", Buffer.from("labels"));
      await folder.cut();
      await folder.file("images/a.png", Buffer.from(text));
    });
  const dataset = { id: "faces", directory: "/data/faces", description: {} };

  describe("the files of a data set", () => {
    it("are read and copied by another machine, or are none of the store's", async () => {
      const { folders, datasets } = fixture.store;
      const other = await fixture.openAgain();
      if (folders === undefined) {
        expect(fixture.location.objects).toBeUndefined();
        expect(await datasets.register(dataset)).not.toHaveProperty("files");
        return;
      }
      const files = await keep(folders);
      expect(await datasets.register({ ...dataset, files })).toMatchObject({ files: files.digest });
      const { files: digest } = await other.datasets.get("faces");
      const reader = await other.folders!.read(digest!);
      expect((await reader.file("labels.jsonl")).toString()).toBe("labels");
      const { path } = await other.folders!.copy(digest!);
      expect(await readFile(join(path, "images", "a.png"), "utf8")).toBe("image");
    });

    it("are no garbage while there is the data set", async () => {
      const { folders, datasets, blobs } = fixture.store;
      if (folders === undefined) return;
      const [files, others] = [await keep(folders), await keep(folders, "another image")];
      await datasets.register({ ...dataset, files });
      // Two data sets share what is the same of them.
      expect((await collect()).objects).toBe(2);
      for (const digest of files.blobs) expect(await blobs.has(digest)).toBe(true);
      expect(await blobs.has(others.digest)).toBe(false);
    });

    it("are never garbage when they are stored again and named while it is collected", async () => {
      const { folders, datasets, blobs } = fixture.store;
      if (folders === undefined) return;
      const other = await fixture.openAgain();
      for (let i = 0; i < 6; i++) {
        const { blobs: digests } = await keep(folders, `image ${i}`);
        for (const digest of digests) await fixture.driver.makeOld(fixture.location, "blobs", digest);
        const publish = async () => {
          await datasets.register({ ...dataset, id: `faces-${i}`, files: await keep(folders, `image ${i}`) });
        };
        const both = [publish, () => other.collectGarbage()];
        await Promise.all((i % 2 === 0 ? both : both.reverse()).map((each) => each()));
        for (const digest of digests) expect(await blobs.has(digest)).toBe(true);
      }
    });

    it("are all there, or there is no data set", async () => {
      const { folders, datasets, blobs } = fixture.store;
      if (folders === undefined) return;
      const files = await keep(folders);
      const [, , missing] = files.blobs;
      await blobs.remove(missing!);
      const registering = datasets.register({ ...dataset, files });
      await expect(registering).rejects.toMatchObject({ reason: "BLOB_DAMAGED" });
      await expect(registering).rejects.toThrow(`Blob ${missing} is missing`);
      expect(await datasets.has("faces")).toBe(false);
      await datasets.register({ ...dataset, files: await keep(folders) });
    });

    it("are not taken from an attempt that was replaced", async () => {
      const { folders, datasets } = fixture.store;
      if (folders === undefined) return;
      const files = await keep(folders);
      const { id } = await create();
      await claim("a", -1);
      await claim("b");
      await expect(datasets.register({ ...dataset, files, job: { id, attempt: 1 } })).rejects.toMatchObject(stale);
      expect((await collect()).objects).toBe(3);
    });

    it("that are torn are refused by their names, and whole again when they are kept again", async () => {
      const { folders } = fixture.store;
      if (folders === undefined) return;
      const files = await keep(folders);
      const { folders: there } = await fixture.openAgain();
      const [, , images] = files.blobs;
      await fixture.driver.damage(fixture.location, "blobs", images!, Buffer.from("ima"));
      await expect(there!.copy(files.digest)).rejects.toThrow(/it is part 2 of 2 of a folder, with images\/a.png/);
      await keep(folders);
      const { path } = await there!.copy(files.digest);
      expect(await readFile(join(path, "images", "a.png"), "utf8")).toBe("image");
    });
  });
}
