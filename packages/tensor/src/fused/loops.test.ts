import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { instructionSetsOf } from "../../test-fixtures/processor-sets.ts";
import { INSTRUCTION_SETS } from "./instruction-set.ts";

const run = promisify(execFile);
const PACKAGE = join(import.meta.dirname, "..", "..");

let folder: string;
/** Compiled with sanitizers: a load or store past the end of a row would end it. */
let program: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "duchenne-loops-"));
  program = join(folder, "loops-agree");
  const loops = join(PACKAGE, "native", "kernels", "loops");
  const sources = (await readdir(loops)).filter((name) => name.endsWith(".cc")).map((name) => join(loops, name));
  const sanitized = ["-fsanitize=address,undefined", "-fno-sanitize-recover"];
  const flags = ["-std=c++17", "-O1", "-g", "-fno-math-errno", "-Wall", "-Wextra", "-Werror", ...sanitized];
  const check = join(PACKAGE, "test-fixtures", "loops-agree.cc");
  await run("g++", [...flags, ...sources, check, "-o", program]);
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the program prints, errors too. */
const answer = async (...args: string[]) =>
  run(program, args).then(
    ({ stdout }) => stdout,
    ({ code, stdout, stderr }) => `${stdout}${stderr}ended with ${code}`,
  );

const available = instructionSetsOf();
const lacking = INSTRUCTION_SETS.filter((set) => !available.includes(set));

describe("the loops of the kernels, under AddressSanitizer", () => {
  it("are found for every instruction set of the processor, and the widest are chosen", async () => {
    const lines = (await answer()).trim().split("\n");
    expect(lines).toEqual([...available, `chosen: ${available.at(-1)}`]);
  });

  it.each(available)("agree with double precision: %s", async (set) => {
    expect(await answer(set)).toBe("");
  });

  if (lacking.length > 0) {
    it.each(lacking)("are refused where the processor lacks their instructions, NOT RUN: %s", async (set) => {
      expect(await answer(set)).toBe("ended with 2");
    });
  }
});
