import type { Logger } from "@duchenne/rpc";
import {
  type AttemptOutcome,
  DiskFullError,
  FencedError,
  type JobEventBody,
  type JobRecord,
  type Store,
  type StoreLocation,
  StoreUnavailableError,
} from "@duchenne/store";
import { outcomeOf, type StopReason } from "./attempt-outcome.ts";
import { startAttemptProcess } from "./attempt-process.ts";
import { whileUnavailable } from "./while-unavailable.ts";

/** An attempt that a supervisor runs. */
export interface RunningAttempt {
  readonly job: JobRecord;
  /** True when it has used up the job's time. */
  isOutOfTime(): boolean;
  /** True when it was told to stop. */
  isStopping(): boolean;
  /**
   * Asks it to save a checkpoint and end, and ends it after the grace. Asked again, the first reason stays and the shorter
   * grace holds.
   */
  stop(why: StopReason, graceMs: number): void;
  /**
   * Extends its lease, if that was last done as long ago as `olderThanMs`, or failed since; stops it when the store says
   * so, and ends it when it was lost. Errors are logged: the next time may go better.
   */
  renewLease(olderThanMs: number): Promise<void>;
  /** Resolves when its process is gone and its end is stored, or cannot be. */
  readonly ended: Promise<void>;
}

/** What an attempt is run with. */
export interface RunningAttemptOptions {
  readonly store: Store;
  /** Where the store is: the attempt opens it itself. */
  readonly location: StoreLocation;
  readonly attemptModule: URL;
  /** What its process has in its environment, beside what this one has. */
  readonly environment: Readonly<Record<string, string>>;
  readonly leaseMs: number;
  /** How long it may be without a sign of life. */
  readonly stallMs: number;
  /** How long it may take to stop when the job is cancelled or paused. */
  readonly stopGraceMs: number;
  readonly otlpEndpoint: string | undefined;
  /** Aborts when nobody waits any more for a store that cannot be reached. */
  readonly givesUp: AbortSignal;
  readonly logger: Logger;
}

/** Forks the attempt of a job that was claimed just now. While the store cannot be reached, what it reports waits. */
export function runClaimed(job: JobRecord, options: RunningAttemptOptions): RunningAttempt {
  const { store, attemptModule, environment, leaseMs, stallMs, stopGraceMs, logger: log } = options;
  const { id, kind, attempt, spec, traceparent, checkpoint, previousCheckpoint } = job;
  const { timeLimitMs = Number.POSITIVE_INFINITY } = job;
  log.info({ kind, checkpointStep: checkpoint?.step }, "attempt starts");
  const startedMs = performance.now();
  /** Aborts when another attempt has the job. */
  const fenced = new AbortController();
  const givesUp = AbortSignal.any([fenced.signal, options.givesUp]);

  let stored = 0;
  const storeEvents = async (events: readonly JobEventBody[]) => {
    await whileUnavailable(() => store.jobs.append(id, attempt, events, stored), givesUp);
    stored += events.length;
  };
  const checkpoints = [checkpoint ?? [], previousCheckpoint ?? []].flat();
  const start = {
    kind: "start",
    job: { id, kind, attempt, spec, traceparent, checkpoints },
    store: options.location,
    otlpEndpoint: options.otlpEndpoint,
  } as const;
  const process = startAttemptProcess(attemptModule, start, { environment, storeEvents, stallMs, logger: log });

  let stopping: StopReason | undefined;
  let killAtMs = Number.POSITIVE_INFINITY;
  let killTimer: NodeJS.Timeout | undefined;
  function stop(why: StopReason, graceMs: number): void {
    if (stopping === undefined) process.stop();
    stopping ??= why;
    const atMs = performance.now() + graceMs;
    if (atMs >= killAtMs) return;
    killAtMs = atMs;
    clearTimeout(killTimer);
    killTimer = setTimeout(() => process.kill(), graceMs);
  }

  let renewedMs = startedMs;
  let renewing: Promise<void> | undefined;
  async function renew(): Promise<void> {
    const sinceMs = performance.now();
    try {
      const { stop: why } = await store.jobs.heartbeat(id, attempt, leaseMs);
      renewedMs = sinceMs;
      if (why !== undefined) stop(why, stopGraceMs);
    } catch (error) {
      renewedMs = Number.NEGATIVE_INFINITY;
      if (error instanceof FencedError) {
        fenced.abort();
        process.kill();
      } else if (error instanceof StoreUnavailableError) log.warn({ error }, "a lease could not be extended");
      else log.error({ error }, "a lease could not be extended");
    }
  }

  async function finish(): Promise<void> {
    try {
      const end = await process.ended.catch((error: unknown) => {
        if (error instanceof FencedError) throw error;
        log.error({ error }, "what an attempt said could not be stored");
        if (error instanceof DiskFullError) {
          const { code, reason, message } = error;
          return { kind: "failed", error: { code, reason, message } } as const;
        }
        return { kind: "crashed", description: "What the attempt reported could not be stored" } as const;
      });
      if (fenced.signal.aborted) return;
      const outcome: AttemptOutcome = outcomeOf(end, stopping, job);
      const ranMs = Math.round(performance.now() - startedMs);
      const { state } = await whileUnavailable(() => store.jobs.finish(id, attempt, outcome, ranMs), givesUp);
      log.info({ state, outcome: outcome.state }, "attempt ended");
    } catch (error) {
      if (error instanceof FencedError) log.warn({ error }, "attempt lost its job");
      else log.error({ error }, "an attempt could not be ended");
    }
  }

  return {
    job,
    isOutOfTime: () => performance.now() - startedMs > timeLimitMs - job.runMs,
    isStopping: () => stopping !== undefined,
    stop,
    async renewLease(olderThanMs) {
      if (performance.now() - renewedMs < olderThanMs) return;
      // Never two at once: one that hangs is not made to hang again.
      renewing ??= renew().finally(() => {
        renewing = undefined;
      });
      await renewing;
    },
    ended: finish().finally(() => clearTimeout(killTimer)),
  };
}
