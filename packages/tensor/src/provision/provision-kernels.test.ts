import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { buildFor, findKernels, placesFor, provisionKernels } from "./index.ts";

const run = promisify(execFile);

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((each) => rm(each, { recursive: true, force: true }))));

async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "duchenne-kernels-"));
  folders.push(folder);
  return folder;
}

/** A cache that has this machine's TensorFlow and addon, and no kernels. */
let cache: string;
beforeEach(async () => {
  cache = await scratch();
  const { libraries, addonFolder } = placesFor(buildFor("cpu"));
  await mkdir(join(cache, "tensorflow"));
  for (const each of [libraries, addonFolder]) await symlink(each, join(cache, "tensorflow", basename(each)));
});

/** What a script that uses both of the package's entries prints, as JSON, in a process with that cache. */
async function answerOf(expression: string, path = process.env.PATH): Promise<unknown> {
  const script = `
    const { gelu, loadTensorFlow, usesFusedKernels } = await import("@duchenne/tensor");
    const { provisionKernels } = await import("@duchenne/tensor/provision");
    const refusal = ({ reason, message }) => ({ reason, message });
    console.log(JSON.stringify(${expression}));`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], {
    cwd: import.meta.dirname,
    env: { ...process.env, PATH: path, DUCHENNE_CACHE: cache },
  });
  return JSON.parse(stdout);
}

/** A PATH whose g++ is this shell script; without one there is no g++. */
async function pathWith(compiler?: string): Promise<string> {
  const bin = await scratch();
  if (compiler !== undefined) {
    await writeFile(join(bin, "g++"), `#!/bin/sh\n${compiler}\n`);
    await chmod(join(bin, "g++"), 0o755);
    return `${bin}:${process.env.PATH}`;
  }
  return bin;
}

describe("without the kernels", () => {
  it("TensorFlow is loaded and computes by compositions", async () => {
    const expression = `await loadTensorFlow().then((tf) => [usesFusedKernels(tf), ...gelu(tf, tf.tensor1d([0, 1])).dataSync()])`;
    const [fused, zero, one] = (await answerOf(expression)) as [boolean, number, number];
    expect(fused).toBe(false);
    expect(zero).toBe(0);
    expect(one).toBeCloseTo(0.8413447, 6);
  });

  it.each([
    [
      "a machine without a compiler",
      undefined,
      "No C++ compiler (g++) was found. The fused kernels cannot be compiled.",
    ],
    ["a compiler that is too old", "echo 'kernel.cc:1:1: error: no such option' >&2; exit 1", "error: no such option"],
  ])("%s says what is missing, and that training works", async (_, compiler, message) => {
    const refusal = (await answerOf("await provisionKernels().catch(refusal)", await pathWith(compiler))) as {
      reason: string;
      message: string;
    };
    expect(refusal.reason).toBe("KERNELS_UNAVAILABLE");
    expect(refusal.message).toContain(message);
    expect(refusal.message).toContain("Training works without them, slower.");
    const left = await readdir(join(cache, "tensorflow"));
    expect(left.filter((name) => name.startsWith("kernels-"))).toEqual([]);
  });
});

it("a library that is damaged is refused, with what to delete", async () => {
  await provisionKernels();
  const folder = join(cache, "tensorflow", basename(dirname(findKernels()!)));
  await mkdir(folder);
  await writeFile(join(folder, basename(findKernels()!)), "half a library");
  const refusal = (await answerOf("await loadTensorFlow().catch(refusal)")) as { reason: string; message: string };
  expect(refusal.reason).toBe("KERNELS_DAMAGED");
  expect(refusal.message).toContain("The fused kernels in the cache cannot be loaded");
  expect(refusal.message).toContain(`Delete ${folder}`);
});
