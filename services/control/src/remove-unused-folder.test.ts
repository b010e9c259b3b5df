import { existsSync } from "node:fs";
import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { contractDrivers, useStore } from "@duchenne/store/test-servers";
import { beforeEach, describe, expect, it } from "vitest";
import { registerFolder } from "./register-folder.ts";
import { isRemovalRest, removeUnusedFolder } from "./remove-unused-folder.ts";

const NAME = "faces-0123456789abcdef";

const fixture = useStore(contractDrivers[0]!);
let uploaded: string;
let folder: string;

beforeEach(async () => {
  uploaded = join(fixture.location.directory, "import", "uploaded");
  folder = join(uploaded, NAME);
  await mkdir(join(folder, "images"), { recursive: true });
  await writeFile(join(folder, "images", "a.png"), "image");
});

const register = (directory: string, labelFiles: readonly string[] = [], id = "mine") =>
  fixture.store.datasets.register({ id, directory, description: { source: { labelFiles: [...labelFiles] } } });
const remove = () => removeUnusedFolder(fixture.store, folder);

describe("a folder", () => {
  it("goes as a whole when no data set is registered on it, and only once", async () => {
    await register(join(fixture.location.directory, "elsewhere"));
    await register(`${folder}-2`, [], "beside");
    expect(await remove()).toBe(true);
    expect(await readdir(uploaded)).toEqual([]);
    expect(await remove()).toBe(true);
  });

  it.each([
    ["on it", (path: string) => path, []],
    ["in it", (path: string) => join(path, "images"), []],
    ["around it", (path: string) => join(path, "..", ".."), []],
    ["elsewhere, with label files in it", () => "/elsewhere", [join("images", "a.png")]],
  ] as const)("stays while a data set is registered %s, by whatever path", async (_, directory, labelFiles) => {
    const link = join(fixture.location.directory, "link");
    await symlink(uploaded, link);
    for (const path of [folder, join(link, NAME)]) {
      await register(
        directory(path),
        labelFiles.map((file) => join(path, file)),
      );
      expect(await remove()).toBe(false);
      expect(await readdir(join(folder, "images"))).toEqual(["a.png"]);
      await fixture.store.datasets.delete("mine");
    }
    expect(await remove()).toBe(true);
  });

  it("stays while a data set may be registered on it by a path that this machine does not have", async () => {
    for (const path of [`/mnt/elsewhere/import/uploaded/${NAME}/images`, "/mnt/elsewhere/import"]) {
      await register(path);
      expect(await remove()).toBe(false);
      await fixture.store.datasets.delete("mine");
    }
    await register("/mnt/elsewhere/import/uploaded/other-0123456789abcdef");
    expect(await remove()).toBe(true);
  });

  it("that was removed while it was read is no data set", async () => {
    const { datasets } = fixture.store;
    const store = {
      ...fixture.store,
      datasets: {
        ...datasets,
        async register(...given: Parameters<typeof datasets.register>) {
          expect(await remove()).toBe(true);
          return datasets.register(...given);
        },
      },
    };
    const source = { format: "images", labelFiles: [] } as const;
    const registering = registerFolder(store, { id: "mine", directory: folder, source, description: "", license: "" });
    await expect(registering).rejects.toMatchObject({ code: "invalid_argument", reason: "FOLDER_GONE" });
    expect(await datasets.has("mine")).toBe(false);
    expect(existsSync(folder)).toBe(false);
  });

  it("whose removal was cut off is known by its name", () => {
    expect(isRemovalRest(`.${NAME}-1.removed`)).toBe(true);
    for (const name of [NAME, `${NAME}.removed`, `.${NAME}.partial`]) expect(isRemovalRest(name)).toBe(false);
  });
});
