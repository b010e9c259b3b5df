import type { Logger } from "@duchenne/rpc";
import type { JobRecord, Store, StoreLocation } from "@duchenne/store";
import { isGone, ownerOfThisProcess } from "./process-identity.ts";
import { createResourcePool, type ResourcePool, type TakenResources } from "./resource-pool.ts";
import { type RunningAttempt, runClaimed } from "./running-attempt.ts";

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
  /** How often it gives a sign; default three times in a lease. */
  readonly heartbeatMs?: number;
  /**
   * How long an attempt may be without a sign of life before it is ended and tried again; default 30 minutes. Its main thread
   * gives them, so this is also how long a training step may take.
   */
  readonly stallMs?: number;
  /** How long a stopped attempt may take to save its checkpoint. */
  readonly stopGraceMs?: number;
  /** Passed on to attempts. */
  readonly otlpEndpoint?: string | undefined;
  readonly logger: Logger;
}

/** Runs jobs in child processes until it is closed. */
export interface Supervisor {
  /**
   * Takes no more jobs, stops the running ones at a checkpoint and leaves them to the next supervisor. What has not ended
   * after the grace is ended, also what was told to stop before; a store that is away is waited for as long.
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/** Longer than a step, a compilation by XLA or a bootstrap takes. */
const STALL_MS = 30 * 60_000;
/** How often retries, leases and lost owners are looked at when nothing changes. */
const TICK_MS = 1_000;

/**
 * Starts to run jobs: claims them, forks an attempt for each, keeps the lease, stores what the attempt reports, tries
 * again after failures, and stops it when the job is cancelled, paused or out of time. Jobs of a process that is gone are
 * taken over at once. While the store cannot be reached attempts go on, and what they report waits.
 */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { store, logger, kinds } = options;
  const { leaseMs = 30_000, heartbeatMs = leaseMs / 3, stallMs = STALL_MS, stopGraceMs = 120_000 } = options;
  const resources = options.resources ?? createResourcePool({});
  const owner = ownerOfThisProcess();
  const running = new Set<RunningAttempt>();
  /** Aborts when no more jobs are taken. */
  const closing = new AbortController();
  /** Aborts when the grace of closing is over. */
  const gaveUp = new AbortController();

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
      const used = [...running].filter(({ job }) => kinds[job.kind]!.slot === slot).length;
      return used < (options.slots[slot] ?? 1) ? [kind] : [];
    });
  }

  async function claimAll(): Promise<void> {
    while (!closing.signal.aborted) {
      const isStarted = await resources.choose(async (free, take) => {
        const kinds = freeKinds();
        if (kinds.length === 0) return false;
        const job = await store.jobs.claim({ kinds, owner, leaseMs, free, except: ownJobs() });
        if (job === undefined) return false;
        startAttempt(job, take(job.resources));
        return true;
      });
      if (!isStarted) return;
    }
  }

  function startAttempt(job: JobRecord, taken: TakenResources): void {
    const attempt = runClaimed(job, {
      store,
      location: options.location,
      attemptModule: kinds[job.kind]!.attemptModule,
      environment: taken.environment,
      leaseMs,
      stallMs,
      stopGraceMs,
      otlpEndpoint: options.otlpEndpoint,
      givesUp: gaveUp.signal,
      logger: logger.child({ job: job.id, attempt: job.attempt }),
    });
    running.add(attempt);
    void attempt.ended.finally(() => {
      running.delete(attempt);
      taken.giveBack();
      wake();
    });
  }

  const ownJobs = () => [...running].map(({ job }) => job.id);

  /** All at once: one that hangs holds up no other. */
  async function renewLeases(olderThanMs: number): Promise<void> {
    await Promise.all([...running].map((attempt) => attempt.renewLease(olderThanMs)));
  }

  /** Stops what is to stop before the next heartbeat tells. */
  async function stopRequested(): Promise<void> {
    for (const attempt of running) {
      if (attempt.isOutOfTime()) attempt.stop("timeout", stopGraceMs);
      if (attempt.isStopping()) continue;
      const { state } = await store.jobs.get(attempt.job.id);
      if (state === "CANCELLING") attempt.stop("cancel", stopGraceMs);
      else if (state === "PAUSING") attempt.stop("pause", stopGraceMs);
    }
  }

  /** One look at everything. What this process runs comes first: after an outage others wait for its leases to end. */
  async function round(): Promise<void> {
    await renewLeases(heartbeatMs);
    await releaseLostOwners();
    await stopRequested();
    await store.jobs.stopLost({ kinds: Object.keys(kinds), except: ownJobs() });
    await claimAll();
  }

  // Rounds run one after the other; a wake-up during a round leads to one more.
  let wake = (): void => {};
  let awake = true;
  async function rounds(): Promise<void> {
    while (!closing.signal.aborted) {
      awake = false;
      await guard(round(), "the supervisor could not look for jobs and tries again");
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
  const heart = setInterval(() => void renewLeases(0), heartbeatMs);
  const loops = Promise.all([rounds(), guard(watch(), "the store cannot be watched")]);

  let closed: Promise<void> | undefined;
  async function closeAll(graceMs: number): Promise<void> {
    const untilMs = performance.now() + graceMs;
    const giveUp = setTimeout(() => gaveUp.abort(), graceMs);
    const stopAll = () => {
      for (const attempt of running) attempt.stop("interrupt", Math.max(0, untilMs - performance.now()));
    };
    closing.abort();
    wake();
    stopAll();
    await loops;
    // One may have been claimed while the last round ended.
    stopAll();
    await Promise.all([...running].map(({ ended }) => ended));
    clearTimeout(giveUp);
    clearInterval(heart);
  }
  return {
    close({ graceMs = 10_000 } = {}) {
      closed ??= closeAll(graceMs);
      return closed;
    },
  };
}
