import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openStore } from "@duchenne/store";
import { expect, it } from "vitest";

/** Publishes a small detector in a process of its own. @param maxFileKiB the largest file that it may write */
function publishIn(directory: string, maxFileKiB: string): Record<string, string> {
  const script = fileURLToPath(new URL("../test-fixtures/publish.ts", import.meta.url));
  const command = ["-c", `ulimit -f ${maxFileKiB} && exec "$0" "$@"`, process.execPath, script, directory];
  const { stdout, stderr } = spawnSync("bash", command, { encoding: "utf8" });
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

it("a publication on a full disk leaves no version and no half file, and succeeds when there is room", async () => {
  const directory = await mkdtemp(join(tmpdir(), "duchenne-publish-"));
  try {
    const store = await openStore({ directory });
    const page = { pageSize: 10, pageToken: "" };
    const files = async () => {
      const entries = await readdir(join(directory, "blobs"), { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    };
    // The weights have 1.9 MB.
    expect(publishIn(directory, "1024")).toMatchObject({ code: "resource_exhausted", reason: "DISK_FULL" });
    expect(await files()).toEqual([]);
    expect((await store.models.list(page)).models).toEqual([]);

    expect(publishIn(directory, "unlimited")).toEqual({ modelVersion: "models/m/versions/1" });
    expect((await store.models.getVersion("m", "1")).artifacts.map(({ role }) => role)).toEqual([
      "safetensors",
      "onnx",
      "card",
    ]);
    expect(await files()).toHaveLength(3);
    await store.close();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
