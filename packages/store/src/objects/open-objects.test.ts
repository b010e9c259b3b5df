import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openObjects } from "./open-objects.ts";

it("a folder that has its database's mark is opened without writing", async () => {
  const directory = await mkdtemp(join(tmpdir(), "duchenne-objects-"));
  try {
    const { claim } = await openObjects(directory, undefined, (work) => work());
    expect(await claim("first")).toBe("first");
    // Also a file that comes and goes changes the folder's time.
    const before = await stat(directory, { bigint: true });
    expect(await claim("second")).toBe("first");
    expect((await stat(directory, { bigint: true })).mtimeNs).toBe(before.mtimeNs);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
