import type { Logger } from "@duchenne/rpc";
import {
  type AttemptOutcome,
  DiskFullError,
  FencedError,
  type JobEventBody,
  type JobRecord,
  type Store,
  type StoreLocation,
} from "@duchenne/store";
import { outcomeOf, type StopReason } from "./attempt-outcome.ts";
import { type AttemptProcess, startAttemptProcess } from "./attempt-process.ts";
import { isGone, ownerOfThisProcess } from "./process-identity.ts";
import { createResourcePool, type ResourcePool } from "./resource-pool.ts";
import { whileUnavailable } from "./while-unavailable.ts";

/** A kind of job that a supervisor runs. */
export interface JobKind {
  /** The module that is forked; it calls runAttempt. */
  readonly attemptModule: URL;
  /** Kinds with the same slot name share its count. */
  readonly slot: string;
}

/** How jobs are supervised. */
export interface SupervisorOptions {
  readonly store: Store;
  /** Where the store is: attempts open it themselves. */
  readonly location: StoreLocation;
  readonly kinds: Readonly<Record<string, JobKind>>;
  /** Attempts that run at once, by slot name. */
  readonly slots: Readonly<Record<string, number>>;
  /** What jobs may take of this machine; default nothing, which leaves jobs that need anything to others. */
  readonly resources?: ResourcePool;
  /** How long a job stays this process's without a heartbeat. */
  readonly leaseMs?: number;
  readonly heartbeatMs?: number;
  /** How long a stopped attempt may take to save its checkpoint. */
  readonly stopGraceMs?: number;
  /** Passed on to attempts. */
  readonly otlpEndpoint?: string | undefined;
  readonly logger: Logger;
}

/** Runs jobs in child processes until it is closed. */
export interface Supervisor {
  /** Takes no more jobs, stops the running ones at a checkpoint and leaves them to the next supervisor. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

interface Running {
  readonly job: JobRecord;
  readonly process: AttemptProcess;
  /** When it has used up the job's time, on this process's clock. */
  readonly deadlineMs: number;
  /** Why it was told to stop. */
  stopping: StopReason | undefined;
  /** Aborts when it lost the job to another attempt. */
  readonly fenced: AbortController;
  killTimer: NodeJS.Timeout | undefined;
}

/** How often retries, leases and lost owners are looked at when nothing changes. */
const TICK_MS = 1_000;

/**
 * Starts to run jobs: claims them, forks an attempt for each, keeps the lease, stores what the attempt reports, tries
 * again after failures, and stops it when the job is cancelled, paused or out of time. Jobs of a process that is gone are
 * taken over at once. While the store cannot be reached attempts go on, and what they report waits.
 */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { store, logger, kinds } = options;
  const { leaseMs = 30_000, heartbeatMs = 10_000, stopGraceMs = 120_000 } = options;
  const resources = options.resources ?? createResourcePool({});
  const owner = ownerOfThisProcess();
  const running = new Map<string, Running>();
  const ends = new Set<Promise<void>>();
  const closing = new AbortController();

  const guard = (work: Promise<unknown>, message: string): Promise<void> =>
    work.then(
      () => {},
      (error: unknown) => logger.error({ error }, message),
    );

  async function releaseLostOwners(): Promise<void> {
    for (const other of await store.jobs.owners()) {
      if (other === owner || !isGone(other)) continue;
      logger.warn({ owner: other }, "taking over the jobs of a process that is gone");
      await store.jobs.releaseOwner(other);
    }
  }

  function freeKinds(): string[] {
    return Object.entries(kinds).flatMap(([kind, { slot }]) => {
      const used = [...running.values()].filter(({ job }) => kinds[job.kind]!.slot === slot).length;
      return used < (options.slots[slot] ?? 1) ? [kind] : [];
    });
  }

  async function claimAll(): Promise<void> {
    while (!closing.signal.aborted) {
      const isStarted = await resources.choose(async (free, take) => {
        const kinds = freeKinds();
        const job = kinds.length === 0 ? undefined : await store.jobs.claim({ kinds, owner, leaseMs, free });
        if (job === undefined) return false;
        startAttempt(job, take(job.resources));
        return true;
      });
      if (!isStarted) return;
    }
  }

  /** @param giveBack what it takes of the machine */
  function startAttempt(job: JobRecord, giveBack: () => void): void {
    const { id, kind, attempt, spec, traceparent, checkpoint, after, timeLimitMs = Number.POSITIVE_INFINITY } = job;
    const log = logger.child({ job: id, attempt });
    log.info({ kind, checkpointStep: checkpoint?.step }, "attempt starts");
    const start = {
      kind: "start",
      job: { id, kind, attempt, spec, traceparent, after, checkpoint: checkpoint?.digest },
      store: options.location,
      otlpEndpoint: options.otlpEndpoint,
    } as const;
    const fenced = new AbortController();
    const givesUp = AbortSignal.any([fenced.signal, closing.signal]);
    let stored = 0;
    const storeEvents = async (events: readonly JobEventBody[]) => {
      await whileUnavailable(() => store.jobs.append(id, attempt, events, stored), givesUp);
      stored += events.length;
    };
    const process = startAttemptProcess(kinds[kind]!.attemptModule, start, { storeEvents, logger: log });
    const deadlineMs = performance.now() + timeLimitMs - job.runMs;
    const entry: Running = { job, process, deadlineMs, stopping: undefined, fenced, killTimer: undefined };
    running.set(id, entry);
    const ended = guard(finish(entry, givesUp, log), "an attempt could not be ended").finally(() => {
      clearTimeout(entry.killTimer);
      running.delete(id);
      ends.delete(ended);
      giveBack();
      wake();
    });
    ends.add(ended);
  }

  async function finish(entry: Running, givesUp: AbortSignal, log: Logger): Promise<void> {
    const { id, attempt } = entry.job;
    try {
      const end = await entry.process.ended.catch((error: unknown) => {
        if (error instanceof FencedError) throw error;
        log.error({ error }, "what an attempt said could not be stored");
        if (error instanceof DiskFullError) {
          const { code, reason, message } = error;
          return { kind: "failed", error: { code, reason, message } } as const;
        }
        return { kind: "crashed", description: "What the attempt reported could not be stored" } as const;
      });
      if (entry.fenced.signal.aborted) return;
      const outcome: AttemptOutcome = outcomeOf(end, entry.stopping, entry.job);
      const { state } = await whileUnavailable(() => store.jobs.finish(id, attempt, outcome), givesUp);
      log.info({ state, outcome: outcome.state }, "attempt ended");
    } catch (error) {
      if (!(error instanceof FencedError)) throw error;
      log.warn({ error }, "attempt lost its job");
    }
  }

  /** Asks an attempt to save a checkpoint and end, and ends it after the grace. */
  function stop(entry: Running, why: StopReason, graceMs: number): void {
    if (entry.stopping !== undefined) return;
    entry.stopping = why;
    entry.process.stop();
    entry.killTimer = setTimeout(() => entry.process.kill(), graceMs);
  }

  /** Extends every lease, and stops what is to stop or was lost. */
  async function heartbeat(): Promise<void> {
    for (const entry of running.values()) {
      const { id, attempt } = entry.job;
      try {
        const { stop: why } = await store.jobs.heartbeat(id, attempt, leaseMs);
        if (why !== undefined) stop(entry, why, stopGraceMs);
      } catch (error) {
        if (!(error instanceof FencedError)) throw error;
        entry.fenced.abort();
        entry.process.kill();
      }
    }
  }

  /** Stops what is to stop before the next heartbeat tells. */
  async function stopRequested(): Promise<void> {
    for (const entry of running.values()) {
      if (entry.stopping !== undefined) continue;
      const { state } = await store.jobs.get(entry.job.id);
      if (state === "CANCELLING") stop(entry, "cancel", stopGraceMs);
      else if (state === "PAUSING") stop(entry, "pause", stopGraceMs);
      else if (performance.now() > entry.deadlineMs) stop(entry, "timeout", stopGraceMs);
    }
  }

  // Rounds run one after the other; a wake-up during a round leads to one more.
  let wake = (): void => {};
  let awake = true;
  async function rounds(): Promise<void> {
    while (!closing.signal.aborted) {
      awake = false;
      await guard(
        releaseLostOwners().then(stopRequested).then(claimAll),
        "the supervisor could not look for jobs and tries again",
      );
      if (!awake && !closing.signal.aborted) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, TICK_MS);
          wake = () => {
            awake = true;
            clearTimeout(timer);
            resolve();
          };
        });
      }
    }
  }
  async function watch(): Promise<void> {
    for await (const _ of store.changes(closing.signal)) wake();
  }
  const heart = setInterval(() => void guard(heartbeat(), "a heartbeat failed"), heartbeatMs);
  const loops = Promise.all([rounds(), guard(watch(), "the store cannot be watched")]);

  let closed: Promise<void> | undefined;
  async function closeAll(graceMs: number): Promise<void> {
    closing.abort();
    wake();
    await loops;
    for (const entry of running.values()) stop(entry, "interrupt", graceMs);
    await Promise.all(ends);
    clearInterval(heart);
  }
  return {
    close({ graceMs = 10_000 } = {}) {
      closed ??= closeAll(graceMs);
      return closed;
    },
  };
}
