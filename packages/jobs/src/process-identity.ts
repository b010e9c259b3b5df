import { randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Where a process runs. */
interface ProcessPlace {
  readonly host: string;
  /** What stays the same when it boots again; "" where that is not known. */
  readonly machine: string;
  readonly boot: string;
  /** The process namespace: numbers mean something only within it. */
  readonly namespace: string;
}

/** Which process owns a lease. Process numbers are used again; boot, start time and namespace tell them apart. */
interface ProcessIdentity extends ProcessPlace {
  readonly pid: number;
  readonly started: string;
  readonly instance: string;
}

/** A text that names this process, for isGone of another. */
export function ownerOfThisProcess(): string {
  const identity: ProcessIdentity = {
    ...thisPlace(),
    pid: process.pid,
    started: startTime(process.pid) ?? "",
    instance: randomUUID(),
  };
  return JSON.stringify(identity);
}

/**
 * True when the named process has provably ended; false when it lives, or when nobody here can know.
 *
 * @param here where that is asked
 */
export function isGone(owner: string, here = thisPlace()): boolean {
  let identity: ProcessIdentity;
  try {
    identity = JSON.parse(owner) as ProcessIdentity;
  } catch {
    return false;
  }
  if (identity.host !== here.host) return false;
  if (identity.boot !== here.boot) return hasBootedAgain(identity, here);
  if (identity.namespace !== here.namespace) return false;
  if (identity.started !== "") return startTime(identity.pid) !== identity.started;
  try {
    process.kill(identity.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/** The namespace of what runs in no container; a constant of Linux. */
const INITIAL_NAMESPACE = "pid:[4026531836]";

/**
 * Whether another boot is a later one of the same machine, and not one of another that is called the same. Containers do
 * not tell: some kinds have a boot of their own each, on the same hardware.
 */
function hasBootedAgain(before: ProcessPlace, here: ProcessPlace): boolean {
  const isContainer = [before, here].some(({ namespace }) => namespace !== INITIAL_NAMESPACE);
  return !isContainer && here.machine !== "" && before.machine === here.machine;
}

const thisPlace = (): ProcessPlace => ({
  host: hostname(),
  machine: machineId(),
  boot: bootId(),
  namespace: processNamespace(),
});

/**
 * The ids of the installation and of the hardware (of the virtual machine, in one). Either alone is shared by what still
 * lives: the first by copies of a disk and by what starts from the same image, the second by boards whose maker left it
 * out. "" when one is not known: only root can read that of the hardware.
 */
export function machineId(read: (path: string) => string | undefined = fileText): string {
  const installation = read("/etc/machine-id")?.trim() ?? "";
  const hardware = read("/sys/class/dmi/id/product_uuid")?.trim().toLowerCase() ?? "";
  // An image's may be empty, or "uninitialized".
  const isKnown = /^[0-9a-f]{32}$/.test(installation) && /^[0-9a-f-]{36}$/.test(hardware);
  // All zeros or all ones: there is none.
  const isSet = new Set(hardware.replaceAll("-", "")).size > 1;
  return isKnown && isSet ? `${installation} ${hardware}` : "";
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
