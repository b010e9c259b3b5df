import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createMachineClock, requireJumps, startClockReader } from "./machine-clock.ts";

it("a clock that jumps as it is set is told from one that stands on its own", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "duchenne-clock-"));
  const file = join(folder.path, "clock");
  const clock = createMachineClock("", file);
  const following = async () => Date.now() + 1_000 * Number(await readFile(file, "utf8"));
  await requireJumps(clock, following);
  expect(Math.abs((await following()) - Date.now())).toBeLessThan(60_000);
  // A process whose library does nothing.
  const reader = startClockReader(clock);
  await expect(requireJumps(clock, reader.timeMs)).rejects.toThrow(
    "Expected libfaketime to set a clock off by 3600000",
  );
  reader.stop();
});
