import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const PACKAGE = join(import.meta.dirname, "..", "..");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "duchenne-loops-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the loops of the kernels, under AddressSanitizer", () => {
  it("agree with double precision in every instruction set that the processor has; the widest is chosen", async () => {
    const loops = join(PACKAGE, "native", "kernels", "loops");
    const sources = (await readdir(loops)).filter((name) => name.endsWith(".cc")).map((name) => join(loops, name));
    const program = join(folder, "loops-agree");
    const sanitized = ["-fsanitize=address,undefined", "-fno-sanitize-recover"];
    const flags = ["-std=c++17", "-O1", "-g", "-fno-math-errno", "-Wall", "-Wextra", "-Werror", ...sanitized];
    const check = join(PACKAGE, "test-fixtures", "loops-agree.cc");
    await run("g++", [...flags, ...sources, check, "-o", program]);
    const { stdout } = await run(program).catch(({ stdout, stderr }) => ({ stdout: `${stdout}${stderr}` }));
    const lines = stdout.trim().split("\n");
    const sets = lines.slice(0, -1);
    expect(["baseline", "avx2", "avx512"].slice(0, sets.length)).toEqual(sets);
    expect(lines.at(-1)).toBe(`chosen: ${sets.at(-1)}`);
  });
});
