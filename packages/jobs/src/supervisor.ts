import type { Logger } from "@duchenne/rpc";
import {
  type AttemptOutcome,
  DiskFullError,
  FencedError,
  type JobError,
  type JobRecord,
  type Store,
} from "@duchenne/store";
import { type AttemptEnd, type AttemptProcess, startAttemptProcess } from "./attempt-process.ts";
import { isGone, ownerOfThisProcess } from "./process-identity.ts";

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
  /** The store's folder. */
  readonly dataDirectory: string;
  readonly kinds: Readonly<Record<string, JobKind>>;
  /** Attempts that run at once, by slot name. */
  readonly slots: Readonly<Record<string, number>>;
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
  /** Why it was told to stop. */
  stopping: "cancel" | "interrupt" | undefined;
  /** It lost the job to another attempt. */
  fenced: boolean;
  killTimer: NodeJS.Timeout | undefined;
}

/** How often retries, leases and lost owners are looked at when nothing changes. */
const TICK_MS = 1_000;
/** Errors that another attempt would meet as well. */
const PERMANENT = new Set(["invalid_argument", "failed_precondition", "not_found", "already_exists", "data_loss"]);

/**
 * Starts to run jobs: claims them, forks an attempt for each, keeps the lease, stores what the attempt reports, tries
 * again after failures and stops on cancel. Jobs of a process that is gone are taken over at once.
 */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { store, logger, kinds } = options;
  const { leaseMs = 30_000, heartbeatMs = 10_000, stopGraceMs = 120_000 } = options;
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
    for (let free = freeKinds(); free.length > 0 && !closing.signal.aborted; free = freeKinds()) {
      const job = await store.jobs.claim({ kinds: free, owner, leaseMs });
      if (job === undefined) return;
      startAttempt(job);
    }
  }

  function startAttempt(job: JobRecord): void {
    const { id, kind, attempt, spec, traceparent, checkpoint } = job;
    const log = logger.child({ job: id, attempt });
    log.info({ kind, checkpointStep: checkpoint?.step }, "attempt starts");
    const start = {
      kind: "start",
      job: { id, kind, attempt, spec, traceparent, checkpoint: checkpoint?.digest },
      dataDirectory: options.dataDirectory,
      otlpEndpoint: options.otlpEndpoint,
    } as const;
    const process = startAttemptProcess(kinds[kind]!.attemptModule, start, {
      onEvent: ({ event }) => store.jobs.append(id, attempt, [event]),
      logger: log,
    });
    const entry: Running = { job, process, stopping: undefined, fenced: false, killTimer: undefined };
    running.set(id, entry);
    const ended = guard(finish(entry, log), "an attempt could not be ended").finally(() => {
      clearTimeout(entry.killTimer);
      running.delete(id);
      ends.delete(ended);
      wake();
    });
    ends.add(ended);
  }

  async function finish(entry: Running, log: Logger): Promise<void> {
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
      if (entry.fenced) return;
      const outcome = outcomeOf(end, entry);
      const { state } = await store.jobs.finish(id, attempt, outcome);
      log.info({ state, outcome: outcome.state }, "attempt ended");
    } catch (error) {
      if (!(error instanceof FencedError)) throw error;
      log.warn({ error }, "attempt lost its job");
    }
  }

  function outcomeOf(end: AttemptEnd, { stopping, job }: Running): AttemptOutcome {
    if (end.kind === "succeeded") return { state: "SUCCEEDED", result: end.result };
    if (stopping === "cancel") return { state: "CANCELLED" };
    if (stopping === "interrupt") return { state: "INTERRUPTED" };
    if (end.kind === "failed" && PERMANENT.has(end.error.code)) return { state: "FAILED", error: end.error };
    const error: JobError =
      end.kind === "failed"
        ? end.error
        : {
            code: "internal",
            reason: "ATTEMPT_CRASHED",
            message: end.kind === "crashed" ? end.description : "The attempt stopped without being asked",
          };
    return { state: "FAILED", error, retryAfterMs: Math.min(1_000 * 4 ** job.failures, 60_000) };
  }

  function stop(entry: Running, why: "cancel" | "interrupt", graceMs: number): void {
    if (entry.stopping !== undefined) return;
    entry.stopping = why;
    entry.process.stop();
    entry.killTimer = setTimeout(() => entry.process.kill(), graceMs);
  }

  /** Extends every lease, and stops what was cancelled or lost. */
  async function heartbeat(): Promise<void> {
    for (const entry of running.values()) {
      const { id, attempt } = entry.job;
      try {
        const { cancelRequested } = await store.jobs.heartbeat(id, attempt, leaseMs);
        if (cancelRequested) stop(entry, "cancel", stopGraceMs);
      } catch (error) {
        if (!(error instanceof FencedError)) throw error;
        entry.fenced = true;
        entry.process.kill();
      }
    }
  }

  async function cancelRequested(): Promise<void> {
    for (const entry of running.values()) {
      if (entry.stopping !== undefined) continue;
      const { state } = await store.jobs.get(entry.job.id);
      if (state === "CANCELLING") stop(entry, "cancel", stopGraceMs);
    }
  }

  // Rounds run one after the other; a wake-up during a round leads to one more.
  let wake = (): void => {};
  let awake = true;
  async function rounds(): Promise<void> {
    while (!closing.signal.aborted) {
      awake = false;
      await guard(
        releaseLostOwners().then(cancelRequested).then(claimAll),
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
