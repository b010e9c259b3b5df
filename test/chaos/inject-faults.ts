import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { BlobDamagedError, NotFoundError, type Store, type StoreLocation } from "@duchenne/store";
import { type ContractDriver, isRunning, type NetworkProxy, sendIfThere } from "@duchenne/store/test-drivers";
import type { Fleet, Machine } from "./fleet.ts";
import { allJobs } from "./history.ts";
import type { MachineClock } from "./machine-clock.ts";
import type { Moments } from "./moments.ts";
import { type ClockOwner, type Fault, faultName, faultNames, type Victim } from "./plan-faults.ts";
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
  /** Of the database's server, where it is one and clocks can jump. */
  readonly databaseClock: MachineClock | undefined;
  /** When clients are in the middle of something. */
  readonly moments: Moments;
  /** How long zombies, full disks and torn files wait for something to hit. */
  readonly patienceMs: number;
}

/** What was done. */
export interface FaultCounts {
  readonly kills: Readonly<Record<Victim, number>>;
  /** The others, by their names. */
  readonly others: Readonly<Record<string, number>>;
}

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
  const others: Record<string, number> = Object.fromEntries(faultNames(plan).map((name) => [name, 0]));
  const lasting: Promise<void>[] = [];
  const startMs = performance.now();
  for (const fault of plan) {
    const waitMs = startMs + fault.atMs - performance.now();
    if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) break;
    if (fault.kind === "kill") {
      const hit = () => kill(fault.victim, fault.pick, targets);
      // A kill is left out only when time is up, however long a busy machine takes to start what is to be killed.
      if (await untilHit(hit, { patienceMs: Number.POSITIVE_INFINITY, signal })) kills[fault.victim]++;
      continue;
    }
    const name = faultName(fault);
    const begun = begin(fault, targets, signal);
    const counted = begun.then((isHit) => {
      if (isHit) others[name]!++;
    });
    lasting.push(counted);
    // It is told when all are over.
    counted.catch(() => {});
  }
  await Promise.all(lasting);
  return { kills, others };
}

interface Patience {
  readonly patienceMs: number;
  readonly signal: AbortSignal;
}

/** Tries until something is there; undefined when nothing was for long. */
async function untilThere<T>(look: () => T | undefined | Promise<T | undefined>, { patienceMs, signal }: Patience) {
  const untilMs = performance.now() + patienceMs;
  while (!signal.aborted && performance.now() < untilMs) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(LOOK_MS);
  }
  return undefined;
}

/** Tries until something was hit; false when nothing was there for long. */
async function untilHit(hit: () => boolean | Promise<boolean>, patience: Patience): Promise<boolean> {
  const isHit = await untilThere(async () => (await hit()) || undefined, patience);
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
  return isReady && machines.map((machine) => machine.kill()).includes(true);
}

/** Does one of the other faults to its end; answers whether there was something to hit. */
async function begin(
  fault: Exclude<Fault, { readonly kind: "kill" }>,
  targets: FaultTargets,
  signal: AbortSignal,
): Promise<boolean> {
  const patience = { patienceMs: targets.patienceMs, signal };
  switch (fault.kind) {
    case "zombie": {
      const isWorking = (machine: Machine) => machine.workers().length > 0;
      const find = () => choose(trainersOf(targets).filter(isWorking), fault.pick);
      return onMachine(find, patience, (machine, pid) => stopAndWake(machine, pid, fault, signal));
    }
    case "full disk":
      return onMachine(
        () => choose(trainersOf(targets), fault.pick),
        patience,
        (machine, pid) => fillDisk(machine, pid, fault, signal),
      );
    case "cut": {
      const links = [...targets.fleet.machines.map(({ link }) => link), ...targets.storeLinks];
      const link = choose(links, fault.pick)!;
      link.cut(fault.afterBytes);
      await pause(fault.forMs, signal);
      link.restore();
      return true;
    }
    case "cut in mid-upload":
    case "cut in mid-watch": {
      const moment = fault.kind === "cut in mid-upload" ? "upload" : "watch";
      // Such a moment comes as long as clients go on.
      const link = await targets.moments.next(moment, signal);
      if (link === undefined) return false;
      link.cut();
      await pause(fault.forMs, signal);
      link.restore();
      return true;
    }
    case "clock jump": {
      const clock = choose(clocksOf(fault.owner, targets), fault.pick);
      if (clock === undefined) return false;
      lastJumps.set(clock, fault);
      clock.set(fault.offsetMs);
      await pause(fault.forMs, signal);
      // Another one may have begun meanwhile.
      if (lastJumps.get(clock) === fault) clock.set(0);
      return true;
    }
    case "torn blob":
      return untilHit(() => tearBlob(fault.pick, targets), patience);
    case "torn checkpoint":
      return untilHit(() => tearCheckpoints(fault.pick, targets), patience);
    case "unfinished write":
      await leaveUnfinished(targets.location);
      return true;
  }
}

/** Ends early when time is up: what lasts is over then. */
const pause = (ms: number, signal: AbortSignal): Promise<void> => sleep(ms, undefined, { signal }).catch(() => {});

const lastJumps = new WeakMap<MachineClock, Fault>();

function clocksOf(owner: ClockOwner, { fleet, databaseClock }: FaultTargets): readonly MachineClock[] {
  const machines = fleet.machines.filter(({ process }) => {
    if (owner === "the only machine") return true;
    return owner === (process === "trainer" ? "a trainer" : "the server");
  });
  const clocks = owner === "the database" ? [databaseClock] : machines.map(({ clock }) => clock);
  return [...new Set(clocks)].flatMap((clock) => clock ?? []);
}

async function onMachine(
  find: () => Machine | undefined,
  patience: Patience,
  hit: (machine: Machine, pid: number) => Promise<void>,
): Promise<boolean> {
  const machine = await untilThere(find, patience);
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

/** The newest, or all that are kept, of a training whose attempt has just ended: the next one is about to read them. */
async function tearCheckpoints(pick: number, { driver, location }: FaultTargets): Promise<boolean> {
  return unlessGone(location, async (store) => {
    const job = (await allJobs(store)).find(
      (it) => it.state === "RETRY_WAIT" && it.kind === "fine_tune" && it.checkpoint !== undefined,
    );
    if (job?.checkpoint === undefined) return false;
    const { id, checkpoint, previousCheckpoint } = job;
    const torn = pick < 0.5 || previousCheckpoint === undefined ? [checkpoint] : [checkpoint, previousCheckpoint];
    for (const { digest } of torn) {
      const bytes = await store.checkpoints.of(id).get(digest);
      await driver.damage(location, `checkpoints/${id}`, digest, bytes.subarray(0, bytes.length / 2));
    }
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
