import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openDataset } from "@duchenne/data";
import { contractDrivers, useStore } from "@duchenne/store/test-servers";
import { describe, expect, it } from "vitest";
import { datasetDescription, describeDataset } from "./describe-dataset.ts";
import { openRegisteredDataset, openRegisteredLabels } from "./open-registered-dataset.ts";
import type { FolderToRegister } from "./register-folder.ts";
import { createRegistrations } from "./registrations.ts";

describe.each(contractDrivers)("on $name", (driver) => {
  const fixture = useStore(driver);

  /** A folder with a manifest and two images, which nobody decodes here. */
  async function folder(): Promise<FolderToRegister> {
    const directory = join(fixture.location.directory, "faces");
    await mkdir(join(directory, "images"), { recursive: true });
    for (const file of ["a", "b"]) await writeFile(join(directory, "images", `${file}.png`), `image ${file}`);
    await writeFile(join(directory, "dataset.json"), JSON.stringify({ name: "faces", actionUnits: [12] }));
    const lines = ["a", "b"].map((file) => ({ image: `images/${file}.png`, subject: file, actionUnits: { 12: 2.5 } }));
    await writeFile(join(directory, "manifest.jsonl"), lines.map((line) => JSON.stringify(line)).join("\n"));
    return { id: "faces", directory, source: { format: "manifest", labelFiles: [] }, description: "", license: "" };
  }
  const isShared = driver.name.includes("S3");

  it("a licence is what was said at registration, else what dataset.json says, and a training is told", async () => {
    const asked = await folder();
    const { register } = createRegistrations(fixture.store);
    const licenseOf = async (id: string, license: string) => {
      const record = await register({ ...asked, id, license });
      const { license: opened } = await openRegisteredDataset(fixture.store, `datasets/${id}`);
      expect(opened).toBe(datasetDescription(record).license);
      return opened;
    };
    expect(await licenseOf("none", "")).toBeUndefined();
    expect(await licenseOf("told", "CC-BY-NC-4.0")).toBe("CC-BY-NC-4.0");
    const stated = { name: "faces", actionUnits: [12], license: "CC0-1.0" };
    await writeFile(join(asked.directory, "dataset.json"), JSON.stringify(stated));
    expect(await licenseOf("stated", "")).toBe("CC0-1.0");
    expect(await licenseOf("both", "CC-BY-NC-4.0")).toBe("CC-BY-NC-4.0");
  });

  it("a data set with a subject in both parts is refused, and opened where an earlier release registered it", async () => {
    const asked = await folder();
    const { directory, source } = asked;
    const lines = ["train", "test"].map((partition, i) => {
      return { image: `images/${["a", "b"][i]}.png`, subject: "s", actionUnits: { 12: 2.5 }, partition };
    });
    await writeFile(join(directory, "manifest.jsonl"), lines.map((line) => JSON.stringify(line)).join("\n"));
    await expect(createRegistrations(fixture.store).register(asked)).rejects.toMatchObject({
      violations: [{ field: "manifest.jsonl:2:partition", description: expect.stringContaining("(line 1)") }],
    });
    const description = describeDataset(await openDataset(directory, { ...source, mayLeak: true }));
    expect(description.subjectsInBothParts).toBe(1);
    await fixture.store.datasets.register({ id: "earlier", directory, description, files: undefined });
    expect((await openRegisteredLabels(fixture.store, "datasets/earlier")).samples).toHaveLength(2);
    expect((await openRegisteredDataset(fixture.store, "datasets/earlier")).samples).toHaveLength(2);
  });

  it("a registration that is asked for again while it is under way is waited for, and no other under its id", async () => {
    const asked = await folder();
    const { register } = createRegistrations(fixture.store);
    const both = [register(asked), register({ ...asked })];
    await expect(register({ ...asked, description: "another" })).rejects.toMatchObject({ reason: "DATASET_EXISTS" });
    const [first, second] = await Promise.all(both);
    expect(second).toEqual(first);
    await expect(register(asked)).rejects.toMatchObject({ reason: "DATASET_EXISTS" });
    expect(first!.files !== undefined).toBe(isShared);
  });

  it("a data set whose files change while they are stored is none", async () => {
    const asked = await folder();
    const { folders } = fixture.store;
    if (folders === undefined) return;
    const store = {
      ...fixture.store,
      folders: {
        ...folders,
        // After it was read, and before it is read to be stored.
        async keep(...given: Parameters<typeof folders.keep>) {
          await writeFile(join(asked.directory, "images", "a.png"), "another image");
          return folders.keep(...given);
        },
      },
    };
    await expect(createRegistrations(store).register(asked)).rejects.toMatchObject({ reason: "DATASET_CHANGED" });
    expect(await fixture.store.datasets.has("faces")).toBe(false);
  });

  it("a data set is opened by other machines, whatever lies in a folder of its path there", async () => {
    const asked = await folder();
    await createRegistrations(fixture.store).register(asked);
    const here = await openRegisteredDataset(fixture.store, "datasets/faces");
    expect(here.directory).toBe(asked.directory);
    expect((await openRegisteredLabels(fixture.store, "datasets/faces")).digest).toBe(here.digest);
    if (!isShared) {
      await writeFile(join(asked.directory, "images", "a.png"), "another image");
      const changed = openRegisteredDataset(fixture.store, "datasets/faces");
      await expect(changed).rejects.toMatchObject({ reason: "DATASET_CHANGED" });
      return;
    }
    const other = await fixture.openAgain();
    await writeFile(join(asked.directory, "images", "a.png"), "another image");
    const copies: object[] = [];
    const onCopy = (size: object) => void copies.push(size);
    const there = await openRegisteredDataset(other, "datasets/faces", { onCopy });
    expect(there.digest).toBe(here.digest);
    expect(there.directory).not.toBe(asked.directory);
    expect(there.samples.map(({ subject }) => subject)).toEqual(["a", "b"]);
    const labels = await openRegisteredLabels(other, "datasets/faces");
    expect(labels.samples.map(({ subject, occurrence }) => [subject, ...occurrence])).toEqual([
      ["a", 1],
      ["b", 1],
    ]);
    await openRegisteredDataset(other, "datasets/faces", { onCopy });
    expect(copies).toEqual([{ files: 4, sizeBytes: expect.any(Number) }]);
  });

  it("a copy that was changed on the disk is made again, once nobody else reads it", async () => {
    const asked = await folder();
    await createRegistrations(fixture.store).register(asked);
    if (!isShared) return;
    const other = await fixture.openAgain();
    const { files } = await other.datasets.get("faces");
    const copy = await other.folders!.copy(files!);
    await writeFile(join(copy.path, "folder", "faces", "images", "b.png"), "another image");
    await writeFile(join(asked.directory, "images", "a.png"), "another image");
    const opening = () => openRegisteredDataset(other, "datasets/faces");
    await expect(opening()).rejects.toMatchObject({ code: "aborted", reason: "FOLDER_COPY_IN_USE" });
    copy.release();
    const { digest } = await opening();
    expect(digest).toBe((await openRegisteredLabels(other, "datasets/faces")).digest);
  });
});
