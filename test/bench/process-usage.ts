import { readFile } from "node:fs/promises";

/** What a process has used up to a moment. */
export interface ProcessUsage {
  /** By performance.now() of the caller. */
  readonly atMs: number;
  /** User and system time of all of its threads. */
  readonly cpuSeconds: number;
  /** Its resident set. */
  readonly rssMb: number;
}

/** Reads what a process uses (Linux). */
export async function processUsage(pid: number): Promise<ProcessUsage> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).replace(/^.*\) /, "").split(" ");
  // User and system time in ticks of 10 ms, then resident pages of 4 KiB (proc(5), counted from the third field).
  const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / 100;
  return { atMs: performance.now(), cpuSeconds, rssMb: (Number(fields[21]) * 4096) / 2 ** 20 };
}
