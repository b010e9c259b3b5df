import { spawn } from "node:child_process";
import { existsSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { isRunning } from "@duchenne/store/test-drivers";

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
  set(offsetMs: number): void;
}

/**
 * Makes a clock that can jump under running processes. What measures how long something takes (timers, the monotonic
 * clock) goes on as before, as it does when a machine's clock is set.
 *
 * @param file where it stands, for the processes to read
 */
export function createMachineClock(library: string, file: string): MachineClock {
  const set = (offsetMs: number) => {
    // Readers find the old time or the new one.
    const next = `${file}.next`;
    writeFileSync(next, `${offsetMs < 0 ? "-" : "+"}${Math.abs(offsetMs) / 1000}`);
    renameSync(next, file);
  };
  set(0);
  const env = {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    NO_FAKE_STAT: "1",
  };
  return { env, set };
}

/** Removes what libfaketime keeps in shared memory for processes that are gone: it stays when they are killed. */
export function removeLeftovers(): void {
  for (const name of readdirSync("/dev/shm")) {
    const pid = /^(?:faketime_shm|sem\.faketime_sem)_(\d+)$/.exec(name)?.[1];
    const file = join("/dev/shm", name);
    if (pid === undefined || isRunning(Number(pid))) continue;
    const isOurs = [0, statSync(file).uid].includes(process.getuid?.() ?? 0);
    if (isOurs) rmSync(file, { force: true });
  }
}

/** Far more than asking for a time takes. */
const TOLERANCE_MS = 600_000;

/**
 * Sets a clock ahead, behind and right, and looks whether those who go by it follow: a fault that does nothing would be
 * counted for nothing.
 *
 * @param timeMs asks one of them for the time, in milliseconds since the epoch
 * @throws {Error} when it does not follow
 */
export async function requireJumps(clock: MachineClock, timeMs: () => Promise<number>): Promise<void> {
  for (const offsetMs of [3_600_000, -3_600_000, 0]) {
    clock.set(offsetMs);
    const seenMs = (await timeMs()) - Date.now();
    if (Math.abs(seenMs - offsetMs) > TOLERANCE_MS) {
      throw new Error(`Expected libfaketime to set a clock off by ${offsetMs} ms, got ${seenMs} ms`);
    }
  }
}

/** A process that goes by a clock, and tells the time. */
export function startClockReader({ env }: MachineClock): { timeMs(): Promise<number>; stop(): void } {
  const tell = "process.stdin.on('data', () => console.log(Date.now()))";
  const child = spawn(process.execPath, ["-e", tell], {
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async timeMs() {
      child.stdin.write("\n");
      return Number((await lines.next()).value);
    },
    stop: () => void child.stdin.end(),
  };
}
