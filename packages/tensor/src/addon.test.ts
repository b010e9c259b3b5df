import { execFile } from "node:child_process";
import { basename, dirname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { makeOnce } from "@duchenne/provision";
import { beforeAll, describe, expect, it } from "vitest";
import { buildFor, compileAddon, placesFor } from "./provision/index.ts";

const run = promisify(execFile);

/** The addon compiled with AddressSanitizer, in the cache beside the usual one. */
async function sanitizedAddon(): Promise<string> {
  const { libraries, addon, addonFolder } = placesFor(buildFor("cpu"));
  const folder = `${addonFolder}-asan`;
  await makeOnce(folder, async ({ ready }) => {
    const flags = ["-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover"];
    await compileAddon({ libraries, output: join(ready, basename(addon)), flags });
  });
  return join(folder, basename(addon));
}

/** The sanitizer has to be loaded before Node. */
async function sanitizerLibrary(): Promise<string> {
  const { stdout } = await run("g++", ["-print-file-name=libasan.so"]);
  const library = stdout.trim();
  // The compiler answers the bare name when it does not have it.
  if (!isAbsolute(library))
    throw new Error("AddressSanitizer was not found. Debian: apt-get install g++ libgcc-12-dev");
  return library;
}

interface Outcome {
  readonly refused: Readonly<Record<string, string>>;
  readonly strangeCalls: number;
  readonly sharing: readonly number[];
  readonly expectedSharing: readonly number[];
  readonly sum: number;
  readonly copied: readonly number[];
  readonly leaked: number;
  readonly sanitized: boolean;
}

describe("the addon, under AddressSanitizer", () => {
  let outcome: Outcome;
  beforeAll(async () => {
    const script = join(dirname(fileURLToPath(import.meta.url)), "..", "test-fixtures", "addon-misuse.ts");
    const { stdout } = await run(process.execPath, [script, await sanitizedAddon()], {
      env: {
        ...process.env,
        LD_PRELOAD: await sanitizerLibrary(),
        // V8 and TensorFlow keep memory until the process ends, which would drown a leak of ours.
        ASAN_OPTIONS: "detect_leaks=0",
        TF_CPP_MIN_LOG_LEVEL: "3",
      },
      maxBuffer: 2 ** 26,
    });
    outcome = JSON.parse(stdout) as Outcome;
    expect(outcome.sanitized).toBe(true);
  }, 120_000);

  it("answers every misuse with an error that says what kind it is", () => {
    expect(outcome.strangeCalls).toBeGreaterThan(4000);
    expect(outcome.refused).toMatchInlineSnapshot(`
      {
        "a library that is none": "not_found",
        "a list that says it has 2^32 - 1 elements": "invalid_argument",
        "attribute of another kind": "invalid_argument",
        "attribute that throws": "thrown",
        "deleted function": "not_found",
        "detached buffer": "invalid_argument",
        "end without a beginning": "failed_precondition",
        "freed tensor among those whose memory is compared": "not_found",
        "freed tensor as input": "not_found",
        "freed tensor read": "not_found",
        "freed twice": "not_found",
        "function on no device": "invalid_argument",
        "function with a freed input": "not_found",
        "function with another shape": "invalid_argument",
        "function with too few inputs": "invalid_argument",
        "input outside a recording": "failed_precondition",
        "inputs that are no list": "invalid_argument",
        "missing attribute": "not_found",
        "negative number of outputs": "invalid_argument",
        "negative shape": "invalid_argument",
        "nested recording": "failed_precondition",
        "no library": "not_found",
        "opened twice": "failed_precondition",
        "opened with garbage": "invalid_argument",
        "overflowing shape": "invalid_argument",
        "overflowing shape behind a 0": "invalid_argument",
        "recordConstant whose shape ends the recording": "failed_precondition",
        "recordInput whose shape ends the recording": "failed_precondition",
        "runFunction whose input deletes the function": "not_found",
        "shape attribute of 300 sizes": "invalid_argument",
        "shape known only at run time": "unimplemented",
        "shape of 255 sizes": "invalid_argument",
        "shapes that do not fit": "invalid_argument",
        "strings that are none": "invalid_argument",
        "tensor from outside as input": "failed_precondition",
        "tensor that does not fit into memory": "resource_exhausted",
        "too few inputs": "invalid_argument",
        "too few outputs": "invalid_argument",
        "too many inputs": "invalid_argument",
        "traceFunction whose input deletes the function": "not_found",
        "types that do not fit": "invalid_argument",
        "types that do not fit, recorded": "invalid_argument",
        "unknown attribute": "invalid_argument",
        "unknown operation": "not_found",
        "unknown output": "failed_precondition",
        "unknown tensor": "not_found",
        "unknown type": "invalid_argument",
        "used before it is open": "failed_precondition",
        "value of a recording read": "failed_precondition",
        "value of an ended recording": "failed_precondition",
        "very many outputs": "invalid_argument",
        "wrong length": "invalid_argument",
        "wrong typed array": "invalid_argument",
      }
    `);
  });

  it("finds the tensors that share their memory", () => {
    expect(outcome.sharing).toEqual(outcome.expectedSharing);
  });

  it("records, runs and frees functions", () => {
    expect(outcome.leaked).toBe(0);
    expect(outcome.copied).toEqual([2, 40]);
    let expected = 42;
    for (let round = 0; round < 60; round++) {
      const size = 1 + (round % 7);
      // 2 and `round` everywhere: their product, then both; all three packed, then the input and the constant themselves.
      expected += 3 * size ** 2 * (2 * round * size + 2 * (2 + round));
    }
    expect(outcome.sum).toBe(expected);
  });
});
