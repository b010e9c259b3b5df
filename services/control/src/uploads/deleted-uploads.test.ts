import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { contractDrivers, useStore } from "@duchenne/store/test-servers";
import { expect, it } from "vitest";
import { collectDeletedUploads } from "./deleted-uploads.ts";

const fixture = useStore(contractDrivers[0]!);
const DIGEST = "0123456789abcdef";

it("of what was unpacked, the folders of deleted data sets go, and nothing that is not known to be one", async () => {
  const { datasets } = fixture.store;
  const folder = join(fixture.location.directory, "import", "uploaded");
  const collect = (uploading?: string) =>
    collectDeletedUploads(fixture.store, folder, {
      signal: new AbortController().signal,
      inTurn: async (id, name, work) => `${id}/${name}` !== uploading && work(),
    });
  expect(await collect()).toEqual([]);
  const [gone, moved, alive, unknown, own] = ["gone", "moved", "a-live", "unknown"]
    .map((id) => `${id}-${DIGEST}`)
    .concat("own");
  for (const name of [gone, moved, alive, unknown, own, `.gone-${DIGEST}-1.removed`]) {
    await mkdir(join(folder, name!), { recursive: true });
  }
  const upload = async (id: string, directory: string) => {
    await datasets.register({ id, directory, description: {}, managed: true });
    await datasets.delete(id);
  };
  await upload("gone", join(folder, gone!, "images"));
  // The data folder was elsewhere then.
  await upload("moved", `/elsewhere/import/uploaded/${moved}`);
  await upload("a-live", join(folder, alive!));
  await datasets.register({ id: "a-live", directory: join(folder, alive!), description: {}, managed: true });
  // A folder of somebody's, as if it were an upload's.
  await datasets.register({ id: "own", directory: join(folder, unknown!), description: {} });
  await datasets.delete("own");

  expect(await collect(`gone/${gone}`)).toEqual([moved]);
  expect(await collect()).toEqual([gone]);
  expect((await readdir(folder)).toSorted()).toEqual([alive, own, unknown].toSorted());
});
