import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { provisionKernels } from "./provision/index.ts";

interface Outcome {
  readonly fused: boolean;
  readonly losses: readonly (readonly number[])[];
  readonly exitCode: number;
  readonly again: readonly number[];
}

it("threads train side by side, each with an engine of its own, and one that is ended takes nothing with it", async () => {
  await provisionKernels();
  const script = join(import.meta.dirname, "..", "test-fixtures", "worker-threads.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [script]);
  const { fused, losses, exitCode, again } = JSON.parse(stdout) as Outcome;
  expect(fused).toBe(true);
  expect(losses).toHaveLength(3);
  const [first] = losses;
  expect(first!.at(-1)).toBeLessThan(first![0]!);
  for (const each of [...losses, again]) expect(each).toEqual(first);
  expect(exitCode).toBe(1);
}, 60_000);
