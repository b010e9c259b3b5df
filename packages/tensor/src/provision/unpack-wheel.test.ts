import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { unpackWheel } from "./unpack-wheel.ts";

const run = promisify(execFile);
/** CUDA's assembler, a library and a file of metadata, as a wheel has them. */
const MAKE = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
  for name, mode in (("nvidia/bin/ptxas", 0o755), ("nvidia/lib/liba.so", 0o644), ("nvidia_a.dist-info/RECORD", 0o644)):
    entry = zipfile.ZipInfo(name)
    entry.external_attr = mode << 16
    wheel.writestr(entry, name)
`;

let folder: string;
let wheel: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "duchenne-wheel-"));
  wheel = join(folder, "a.whl");
  await run("python3", ["-c", MAKE, wheel]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it("the wanted parts of a wheel are unpacked, and its programs can be executed", async () => {
  const to = join(folder, "whole");
  await unpackWheel(wheel, { package: "a==1", wanted: ["nvidia/"] }, to);
  expect(await readdir(to)).toEqual(["nvidia"]);
  const modeOf = async (path: string) => (await stat(join(to, path))).mode & 0o111;
  expect(await modeOf("nvidia/bin/ptxas")).toBe(0o111);
  expect(await modeOf("nvidia/lib/liba.so")).toBe(0);
});

it("a file that is no wheel is an error that names the package", async () => {
  const broken = join(folder, "broken.whl");
  await writeFile(broken, "PK");
  const unpacking = unpackWheel(broken, { package: "a==1", wanted: ["nvidia/"] }, join(folder, "broken"));
  await expect(unpacking).rejects.toThrow("The wheel of a==1 could not be unpacked");
});
