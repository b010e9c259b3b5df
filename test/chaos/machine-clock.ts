import { existsSync, readdirSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Where Linux distributions put libfaketime, below "/usr/lib" or a folder of it; the first is for programs with threads. */
const PLACES = ["faketime/libfaketimeMT.so.1", "faketime/libfaketime.so.1", "libfaketimeMT.so.1", "libfaketime.so.1"];

/** The system's libfaketime; undefined when it is not installed. */
export function findFaketime(): string | undefined {
  const folders = ["/usr/lib", "/usr/lib64", ...readdirSync("/usr/lib").map((name) => join("/usr/lib", name))];
  return folders.flatMap((folder) => PLACES.map((place) => join(folder, place))).find((path) => existsSync(path));
}

/** The clock of a machine: of all processes that are started with its environment, and of those that they start. */
export interface MachineClock {
  readonly env: NodeJS.ProcessEnv;
  /** From now on it is so far ahead of the real time; behind it, if negative. */
  set(offsetMs: number): Promise<void>;
}

/**
 * Makes a clock that can jump under running processes. What measures how long something takes (timers, the monotonic
 * clock) goes on as before, as it does when a machine's clock is set.
 *
 * @param file where it stands, for the processes to read
 */
export async function createMachineClock(library: string, file: string): Promise<MachineClock> {
  const set = async (offsetMs: number) => {
    // Readers find the old time or the new one.
    const next = `${file}.next`;
    await writeFile(next, `${offsetMs < 0 ? "-" : "+"}${Math.abs(offsetMs) / 1000}`);
    await rename(next, file);
  };
  await set(0);
  const env = {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    FAKETIME_DISABLE_SHM: "1",
    NO_FAKE_STAT: "1",
  };
  return { env, set };
}
