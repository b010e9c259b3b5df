import { readdirSync, readFileSync } from "node:fs";

/** The processes that a process has started itself, by number. Linux only. */
export function childrenOf(pid: number): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((each) => statusOf(each)?.parent === pid);
}

/** True while a process runs or stands still; false when it has ended, also when nobody has asked for its end yet. */
export function isRunning(pid: number): boolean {
  const state = statusOf(pid)?.state;
  return state !== undefined && state !== "Z" && state !== "X";
}

/** Sends a signal to a process that may have ended meanwhile; answers whether it was there. */
export function sendIfThere(signal: NodeJS.Signals, pid: number): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** State and parent, the fields 3 and 4 of proc(5)'s stat; undefined when there is no such process. */
function statusOf(pid: number): { readonly state: string; readonly parent: number } | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The second field is the program's name in brackets and may hold anything.
  const [state = "", parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { state, parent: Number(parent) };
}
