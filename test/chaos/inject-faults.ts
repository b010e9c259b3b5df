import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { BlobDamagedError, NotFoundError, type Store, type StoreLocation } from "@duchenne/store";
import { type ContractDriver, isRunning, type NetworkProxy, sendIfThere } from "@duchenne/store/test-drivers";
import type { Fleet, Machine } from "./fleet.ts";
import type { Fault, FaultKind, Victim } from "./plan-faults.ts";
import { withStore } from "./with-store.ts";
import { IMPORTED } from "./workload.ts";

/** What faults hit. */
export interface FaultTargets {
  readonly fleet: Fleet;
  readonly driver: ContractDriver;
  /** Where the store is, past the links that are cut. */
  readonly location: StoreLocation;
  /** The ways to the database and to the objects, where these are servers. */
  readonly storeLinks: readonly NetworkProxy[];
}

/** What was done. */
export interface FaultCounts {
  readonly kills: Readonly<Record<Victim, number>>;
  /** The other kinds. */
  readonly others: Readonly<Record<Exclude<FaultKind["kind"], "kill">, number>>;
  /** The jobs of which a checkpoint was torn: they may fail, if they say that. */
  readonly tornJobs: ReadonlySet<string>;
}

/** How long something to hit is waited for. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 100;

/**
 * Does what was planned, each fault at its moment or, when there is nothing to hit, as soon as there is. What lasts is over
 * when it resolves.
 *
 * @param signal aborts when time is up: what was planned for later is left out
 */
export async function injectFaults(
  plan: readonly Fault[],
  targets: FaultTargets,
  signal: AbortSignal,
): Promise<FaultCounts> {
  const kills: Record<Victim, number> = { worker: 0, supervisor: 0, server: 0, database: 0 };
  const others: Record<Exclude<FaultKind["kind"], "kill">, number> = {
    zombie: 0,
    cut: 0,
    "full disk": 0,
    "torn blob": 0,
    "torn checkpoint": 0,
    "unfinished write": 0,
    "clock jump": 0,
  };
  const tornJobs = new Set<string>();
  const lasting: Promise<void>[] = [];
  const startMs = performance.now();
  for (const fault of plan) {
    const waitMs = startMs + fault.atMs - performance.now();
    if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) break;
    if (fault.kind === "kill") {
      if (await untilHit(() => kill(fault.victim, fault.pick, targets), signal)) kills[fault.victim]++;
      continue;
    }
    const { kind } = fault;
    const begun = begin(fault, targets, tornJobs, signal);
    const counted = begun.then((isHit) => {
      if (isHit) others[kind]++;
    });
    lasting.push(counted);
    // It is told when all are over.
    counted.catch(() => {});
  }
  await Promise.all(lasting);
  return { kills, others, tornJobs };
}

/** Tries until something is there; undefined when nothing was for long. */
async function untilThere<T>(look: () => T | undefined | Promise<T | undefined>, signal: AbortSignal) {
  const untilMs = performance.now() + PATIENCE_MS;
  while (!signal.aborted && performance.now() < untilMs) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(LOOK_MS);
  }
  return undefined;
}

/** Tries until something was hit; false when nothing was there for long. */
async function untilHit(hit: () => boolean | Promise<boolean>, signal: AbortSignal): Promise<boolean> {
  const isHit = await untilThere(async () => (await hit()) || undefined, signal);
  return isHit === true;
}

const choose = <T>(list: readonly T[], pick: number): T | undefined => list[Math.floor(pick * list.length)];
const trainersOf = ({ fleet }: FaultTargets): readonly Machine[] =>
  fleet.machines.filter(({ process, pid }) => process === "trainer" && pid() !== undefined);

async function kill(victim: Victim, pick: number, targets: FaultTargets): Promise<boolean> {
  switch (victim) {
    case "worker": {
      const worker = choose(
        trainersOf(targets).flatMap((machine) => machine.workers()),
        pick,
      );
      return worker !== undefined && sendIfThere("SIGKILL", worker);
    }
    case "supervisor":
      return choose(trainersOf(targets), pick)?.kill() ?? false;
    case "server":
      return targets.fleet.machines.find(({ process }) => process !== "trainer")?.kill() ?? false;
    case "database":
      if (targets.location.database === undefined) return killAll(targets.fleet);
      await targets.driver.crash();
      return true;
  }
}

/** In one moment, as far as that goes. */
function killAll({ machines }: Fleet): boolean {
  const isReady = machines.every(({ pid }) => pid() !== undefined);
  if (isReady) for (const machine of machines) machine.kill();
  return isReady;
}

/** Does one of the other faults to its end; answers whether there was something to hit. */
async function begin(
  fault: Exclude<Fault, { readonly kind: "kill" }>,
  targets: FaultTargets,
  tornJobs: Set<string>,
  signal: AbortSignal,
): Promise<boolean> {
  switch (fault.kind) {
    case "zombie":
      return onTrainer(targets, fault.pick, signal, (machine, pid) => stopAndWake(machine, pid, fault, signal));
    case "full disk":
      return onTrainer(targets, fault.pick, signal, (machine, pid) => fillDisk(machine, pid, fault, signal));
    case "cut": {
      const links = [...targets.fleet.machines.map(({ link }) => link), ...targets.storeLinks];
      const link = choose(links, fault.pick)!;
      link.cut(fault.afterBytes);
      await pause(fault.forMs, signal);
      link.restore();
      return true;
    }
    case "clock jump": {
      const clocks = [...new Set(targets.fleet.machines.flatMap(({ clock }) => clock ?? []))];
      const clock = choose(clocks, fault.pick);
      await clock?.set(fault.offsetMs);
      await pause(fault.forMs, signal);
      await clock?.set(0);
      return clock !== undefined;
    }
    case "torn blob":
      return untilHit(() => tearBlob(fault.pick, targets), signal);
    case "torn checkpoint":
      return untilHit(() => tearCheckpoint(targets, tornJobs), signal);
    case "unfinished write":
      await leaveUnfinished(targets.location);
      return true;
  }
}

/** Ends early when time is up: what lasts is over then. */
const pause = (ms: number, signal: AbortSignal): Promise<void> => sleep(ms, undefined, { signal }).catch(() => {});

async function onTrainer(
  targets: FaultTargets,
  pick: number,
  signal: AbortSignal,
  hit: (machine: Machine, pid: number) => Promise<void>,
): Promise<boolean> {
  const machine = await untilThere(() => choose(trainersOf(targets), pick), signal);
  const pid = machine?.pid();
  if (machine === undefined || pid === undefined) return false;
  await hit(machine, pid);
  return true;
}

async function stopAndWake(
  machine: Machine,
  pid: number,
  { withWorkers, forMs }: { readonly withWorkers: boolean; readonly forMs: number },
  signal: AbortSignal,
): Promise<void> {
  const stopped = [pid, ...(withWorkers ? machine.workers() : [])].filter((each) => sendIfThere("SIGSTOP", each));
  await pause(forMs, signal);
  for (const each of stopped) sendIfThere("SIGCONT", each);
}

/** Nothing larger than the limit is written meanwhile: the system says EFBIG where a full disk says ENOSPC. */
async function fillDisk(
  machine: Machine,
  pid: number,
  { maxBytes, forMs }: { readonly maxBytes: number; readonly forMs: number },
  signal: AbortSignal,
): Promise<void> {
  const limit = async (soft: string) => {
    for (const each of [pid, ...machine.workers()]) {
      const limited = promisify(execFile)("prlimit", ["--pid", String(each), `--fsize=${soft}:unlimited`]);
      await limited.catch((error: unknown) => {
        if (isRunning(each)) throw error;
      });
    }
  };
  await limit(String(maxBytes));
  await pause(forMs, signal);
  await limit("unlimited");
}

async function tearBlob(pick: number, { driver, location }: FaultTargets): Promise<boolean> {
  return unlessGone(location, async (store) => {
    const { versions } = await store.models.listVersions(IMPORTED, { pageSize: 1, pageToken: "" });
    const digest = choose(versions[0]?.artifacts ?? [], pick)?.digest;
    if (digest === undefined) return false;
    const bytes = await store.blobs.get(digest);
    await driver.damage(location, "blobs", digest, bytes.subarray(0, bytes.length / 2));
    return true;
  });
}

/** Of a training whose attempt has just ended: the next one is about to read it. */
async function tearCheckpoint({ driver, location }: FaultTargets, torn: Set<string>): Promise<boolean> {
  return unlessGone(location, async (store) => {
    const { jobs } = await store.jobs.list({ pageSize: 50, pageToken: "" });
    const job = jobs.find((it) => it.state === "RETRY_WAIT" && it.kind === "fine_tune" && it.checkpoint !== undefined);
    if (job?.checkpoint === undefined) return false;
    const { digest } = job.checkpoint;
    const bytes = await store.checkpoints.of(job.id).get(digest);
    torn.add(job.id);
    await driver.damage(location, `checkpoints/${job.id}`, digest, bytes.subarray(0, bytes.length / 2));
    return true;
  });
}

/** False when the store is away, or what was to be hit is not there yet, or torn or removed already. */
async function unlessGone(location: StoreLocation, work: (store: Store) => Promise<boolean>): Promise<boolean> {
  try {
    return (await withStore(location, work)) ?? false;
  } catch (error) {
    if (error instanceof NotFoundError || error instanceof BlobDamagedError) return false;
    throw error;
  }
}

async function leaveUnfinished({ directory }: StoreLocation): Promise<void> {
  const folder = join(directory, "blobs", "ab");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${"c".repeat(62)}.${randomUUID()}`), Buffer.alloc(100_000, 1));
  // A frame of the log that was never whole.
  await appendFile(join(directory, "duchenne.sqlite-wal"), Buffer.alloc(3_000, 0xa5));
}
