import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { cacheDirectory, processorFlags } from "@duchenne/provision";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bfloat16Refusal, buildFor, checkProcessor, placesFor } from "./index.ts";

const run = promisify(execFile);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "duchenne-tensorflow-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Calls a function of the package in a process with a cache of its own; answers what it was refused with. */
async function refusedWith(cache: string, call: string, path = process.env.PATH): Promise<Record<string, string>> {
  const script = `
    const { loadTensorFlow } = await import("@duchenne/tensor");
    const { findTensorFlow, provisionTensorFlow } = await import("@duchenne/tensor/provision");
    const answer = await ${call}.catch(({ reason, message }) => ({ reason, message }));
    console.log(JSON.stringify(answer));`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], {
    cwd: import.meta.dirname,
    env: { ...process.env, PATH: path, DUCHENNE_CACHE: cache },
  });
  return JSON.parse(stdout);
}

/** Where a cache in another folder has what this one has at a path. */
const inCache = (cache: string, path: string) => join(cache, relative(cacheDirectory(), path));

/** Those of a processor, from a description as Linux writes it. */
const flagsOf = (flags: string) => processorFlags(`processor\t: 0\nflags\t\t: fpu ${flags}\nbugs\t\t:\n`)!;

describe("TensorFlow is refused", () => {
  it.each([
    ["a tampered wheel", "PK these are not the bytes"],
    ["a truncated wheel", ""],
  ])("from %s, and nothing of it is kept", async (_, content) => {
    const cache = await mkdtemp(join(folder, "cache-"));
    const bin = await mkdtemp(join(folder, "bin-"));
    // A pip that answers another file: python3 -m pip download ... --dest FOLDER SPEC.
    const pip = `#!/bin/sh\nwhile [ "$1" != --dest ]; do shift; done\nprintf '${content}' > "$2/tensorflow.whl"\n`;
    await writeFile(join(bin, "python3"), pip);
    await chmod(join(bin, "python3"), 0o755);
    const { reason, message } = await refusedWith(cache, "provisionTensorFlow()", `${bin}:${process.env.PATH}`);
    expect(reason).toBe("TENSORFLOW_UNAVAILABLE");
    expect(message).toContain("is not the pinned file: expected sha256 da6e7791");
    expect(message).toContain("check which registry pip is configured for");
    expect(await readdir(join(cache, "tensorflow"))).toEqual([]);
  });

  it("when the cache holds another version alone", async () => {
    const cache = await mkdtemp(join(folder, "cache-"));
    for (const name of ["libraries-0123456789abcdef", "addon-0123456789abcdef"]) {
      await mkdir(join(cache, "tensorflow", name), { recursive: true });
    }
    const { reason, message } = await refusedWith(cache, "loadTensorFlow()");
    expect(reason).toBe("TENSORFLOW_UNAVAILABLE");
    expect(message).toContain("TensorFlow is not in the cache");
  });

  it("when the cache is damaged, with what to delete", async () => {
    const cache = await mkdtemp(join(folder, "cache-"));
    const { addon, libraries } = placesFor(buildFor("cpu"));
    await mkdir(inCache(cache, libraries), { recursive: true });
    await mkdir(dirname(inCache(cache, addon)), { recursive: true });
    await writeFile(inCache(cache, addon), "half an addon");
    const { reason, message } = await refusedWith(cache, "loadTensorFlow()");
    expect(reason).toBe("TENSORFLOW_DAMAGED");
    expect(message).toContain("TensorFlow in the cache cannot be loaded");
    expect(message).toContain(`Delete ${join(cache, "tensorflow")} and run "npm run setup"`);
  });

  it("by a processor that cannot run it", () => {
    expect(() => checkProcessor(flagsOf("sse4_2 avx avx2"))).not.toThrow();
    expect(processorFlags("")).toBeUndefined();
    expect(() => checkProcessor(flagsOf("sse4_2"))).toThrow(
      "lacks the instructions avx, which TensorFlow was compiled",
    );
    expect(() => checkProcessor(flagsOf("avx2"))).toThrow("avx and sse4_2");
  });
});

describe("bfloat16 is refused", () => {
  it("by a processor on which it is no gain", () => {
    const refusal = (flags: string, accelerator: "cpu" | "cuda" = "cpu") =>
      bfloat16Refusal({ flags: flagsOf(flags), accelerator });
    expect(refusal("avx avx2")).toContain("neither avx512f nor avx_ne_convert");
    expect(refusal("avx512f")).toBeUndefined();
    expect(refusal("avx2 avx_ne_convert")).toBeUndefined();
    expect(refusal("avx2", "cuda")).toBeUndefined();
  });
});
