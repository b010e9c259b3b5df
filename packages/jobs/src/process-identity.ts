import { randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Which process owns a lease. Process numbers are used again; boot, start time and namespace tell them apart. */
interface ProcessIdentity {
  readonly host: string;
  readonly boot: string;
  /** The process namespace: numbers mean something only within it. */
  readonly namespace: string;
  readonly pid: number;
  readonly started: string;
  readonly instance: string;
}

/** A text that names this process, for isGone of another. */
export function ownerOfThisProcess(): string {
  const identity: ProcessIdentity = {
    host: hostname(),
    boot: bootId(),
    namespace: processNamespace(),
    pid: process.pid,
    started: startTime(process.pid) ?? "",
    instance: randomUUID(),
  };
  return JSON.stringify(identity);
}

/** True when the named process has provably ended; false when it lives, or when nobody here can know. */
export function isGone(owner: string): boolean {
  let identity: ProcessIdentity;
  try {
    identity = JSON.parse(owner) as ProcessIdentity;
  } catch {
    return false;
  }
  if (identity.host !== hostname()) return false;
  if (identity.boot !== bootId()) return true;
  if (identity.namespace !== processNamespace()) return false;
  if (identity.started !== "") return startTime(identity.pid) !== identity.started;
  try {
    process.kill(identity.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

const bootId = (): string => fileText("/proc/sys/kernel/random/boot_id")?.trim() ?? "";

function processNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}

/** The process's start in clock ticks since boot (proc(5): field 22 of stat); undefined when it does not run. */
function startTime(pid: number): string | undefined {
  const stat = fileText(`/proc/${pid}/stat`);
  // The second field is the program's name in brackets and may hold anything.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields === undefined || fields[0] === "Z" ? undefined : fields[19];
}

function fileText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
