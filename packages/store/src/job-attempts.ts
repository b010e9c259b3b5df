import type { ExpressionBuilder, Transaction } from "kysely";
import type { Checkpoints } from "./blobs.ts";
import { type Database, databaseTimeMs, type Executor } from "./database.ts";
import { saveCheckpoints } from "./job-checkpoints.ts";
import { isOver, type JobError, type JobEventBody, type JobRecord, RUNNING_STATES } from "./job-record.ts";
import { attemptOver, type JobRow, type JobTransactions } from "./job-transactions.ts";
import type { JsonObject } from "./json.ts";
import type { Tables } from "./schema.ts";

/** No lease is longer. */
export const LONGEST_LEASE_MS = 3_600_000;
/** No failure waits longer for its retry. */
export const LONGEST_RETRY_MS = 60_000;

/** How an attempt ended. */
export type AttemptOutcome =
  | { readonly state: "SUCCEEDED"; readonly result: JsonObject }
  | { readonly state: "CANCELLED" }
  | { readonly state: "PAUSED" }
  /** Failed for good, or until the next attempt while failures are left, after LONGEST_RETRY_MS at the latest. */
  | { readonly state: "FAILED"; readonly error: JobError; readonly retryAfterMs?: number }
  /** The server stops: the next one goes on at once. */
  | { readonly state: "INTERRUPTED" };

/** Who claims, and what he can run. */
export interface Claim {
  readonly kinds: readonly string[];
  readonly owner: string;
  /** At most LONGEST_LEASE_MS are given. */
  readonly leaseMs: number;
  /** What is free on this machine; a job that takes anything else or more is left to others. */
  readonly free?: Readonly<Record<string, number>>;
  /** Jobs that he still runs: their leases may have run out while the database was away, and they are not to start again. */
  readonly except?: readonly string[];
}

/**
 * What those who run jobs do. Every write of an attempt names its number: when another attempt was started meanwhile, the
 * write changes nothing and throws FencedError.
 */
export interface JobAttempts {
  /**
   * Takes the first job that can run (queued, due for its retry, or with a lease that ran out; of the highest priority,
   * then the one created first) and starts its next attempt. A lease or a retry that lies further ahead than any can was
   * given while the database's clock was wrong, and is over.
   */
  claim(by: Claim): Promise<JobRecord | undefined>;
  /** Ends the jobs that were to pause or to stop when their owner was lost: whoever may run such jobs asks now and then. */
  stopLost(of: Pick<Claim, "kinds" | "except">): Promise<void>;
  /** Extends a lease, and tells whether the attempt is to stop. @throws {FencedError} */
  heartbeat(id: string, attempt: number, leaseMs: number): Promise<{ readonly stop: "cancel" | "pause" | undefined }>;
  /**
   * Stores events of an attempt. Of its checkpoints the last two are kept; those before are removed.
   *
   * @param before how many events of this attempt came before these: given again after an error that left open whether
   *   they were stored, none is stored twice
   * @throws {FencedError}
   */
  append(id: string, attempt: number, events: readonly JobEventBody[], before: number): Promise<void>;
  /**
   * Ends an attempt.
   *
   * @param ranMs how long it ran, in whole milliseconds; by default since its claim, by the database's clock, which may
   *   have jumped meanwhile
   * @throws {FencedError}
   */
  finish(id: string, attempt: number, outcome: AttemptOutcome, ranMs?: number): Promise<JobRecord>;
  /** The owners of running jobs. */
  owners(): Promise<readonly string[]>;
  /** Ends the leases of an owner that is known to be gone. */
  releaseOwner(owner: string): Promise<void>;
}

const leaseEnd = (now: number, leaseMs: number): number => now + Math.min(leaseMs, LONGEST_LEASE_MS);

const leaseIsOver = (eb: ExpressionBuilder<Tables, "jobs">, now: number) =>
  eb.or([eb("lease_until", "<", now), eb("lease_until", ">", now + LONGEST_LEASE_MS)]);

/** The runners' side of jobs in a database. */
export function createJobAttempts(
  database: Database,
  { write, get, change, addEvents, enter, fenced, end }: JobTransactions,
  checkpoints: Checkpoints,
): JobAttempts {
  const { kysely: db } = database;

  const lostJobs = (executor: Executor, { kinds, except = [] }: Pick<Claim, "kinds" | "except">, now: number) =>
    executor
      .selectFrom("jobs")
      .selectAll()
      .where("kind", "in", kinds)
      .where("state", "in", ["PAUSING", "CANCELLING"])
      .where((eb) => leaseIsOver(eb, now))
      .$if(except.length > 0, (query) => query.where("id", "not in", except))
      .orderBy("id");

  const nextJob = (
    tx: Transaction<Tables>,
    { kinds, free = {}, except = [] }: Claim,
    now: number,
  ): Promise<JobRow | undefined> => {
    const runnable = tx
      .selectFrom("jobs")
      .selectAll()
      .where("kind", "in", kinds)
      .$if(except.length > 0, (query) => query.where("id", "not in", except))
      .where(({ or, and, eb }) =>
        or([
          eb("state", "=", "QUEUED"),
          and([
            eb("state", "=", "RETRY_WAIT"),
            or([eb("retry_at", "<=", now), eb("retry_at", ">", now + LONGEST_RETRY_MS)]),
          ]),
          and([eb("state", "=", "RUNNING"), leaseIsOver(eb, now)]),
        ]),
      )
      .where(({ not, exists, selectFrom }) =>
        not(exists(selectFrom("job_waits").select("needs").whereRef("job_waits.job", "=", "jobs.id"))),
      )
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom("job_resources")
              .select("resource")
              .whereRef("job_resources.job", "=", "jobs.id")
              .where(({ not, or, and, eb }) =>
                not(
                  or(
                    Object.entries(free).map(([resource, amount]) =>
                      and([eb("resource", "=", resource), eb("amount", "<=", amount)]),
                    ),
                  ),
                ),
              ),
          ),
        ),
      )
      .orderBy("priority", "desc")
      .orderBy("turn")
      .orderBy("id")
      .limit(1);
    return database.forUpdate(runnable, { skipLocked: true }).executeTakeFirst();
  };

  return {
    claim: (by) =>
      write(async (tx, now) => {
        const row = await nextJob(tx, by, now);
        if (row === undefined) return undefined;
        const { run_ms } = attemptOver(row, Math.min(now, row.lease_until ?? now));
        const attempt = row.attempt + 1;
        await enter(tx, { ...row, attempt }, now, "RUNNING", {
          attempt,
          attempt_events: 0,
          attempt_time: now,
          run_ms,
          owner: by.owner,
          lease_until: leaseEnd(now, by.leaseMs),
          retry_at: null,
          start_time: row.start_time ?? now,
        });
        return get(tx, row.id);
      }),

    async stopLost(of) {
      // Mostly there are none: then nothing is written and nobody waits.
      const seen = await lostJobs(db, of, await databaseTimeMs(database, db))
        .limit(1)
        .executeTakeFirst();
      if (seen === undefined) return;
      const ended = await write(async (tx, now) => {
        const ended: string[] = [];
        for (const row of await database.forUpdate(lostJobs(tx, of, now), { skipLocked: true }).execute()) {
          if (row.state === "PAUSING") {
            await enter(tx, row, now, "PAUSED", attemptOver(row, row.lease_until ?? now));
          } else {
            await end(tx, row, now, "CANCELLED");
            ended.push(row.id);
          }
        }
        return ended;
      });
      for (const id of ended) await checkpoints.removeAll(id);
    },

    async heartbeat(id, attempt, leaseMs) {
      return write(async (tx, now) => {
        const { state } = await fenced(tx, id, attempt);
        await change(tx, id, { lease_until: leaseEnd(now, leaseMs) });
        return { stop: state === "CANCELLING" ? "cancel" : state === "PAUSING" ? "pause" : undefined };
      });
    },

    async append(id, attempt, events, before) {
      const replaced = await write(async (tx, now) => {
        const job = await fenced(tx, id, attempt);
        const stored = job.attempt_events;
        if (before > stored) {
          throw new RangeError(`Expected events from number ${stored} of attempt ${attempt} on, got ${before}`);
        }
        const fresh = events.slice(stored - before);
        if (fresh.length === 0) return [];
        await addEvents(tx, job, now, fresh);
        const progress = fresh.findLast((event) => event.kind === "progress");
        const saved = fresh.filter((event) => event.kind === "checkpoint");
        const kept = saveCheckpoints(job, saved);
        await change(tx, id, {
          attempt_events: stored + fresh.length,
          ...(progress !== undefined && { progress: progress.fraction, eta_ms: progress.etaMs ?? null }),
          ...(saved.length > 0 && kept.columns),
        });
        return kept.replaced;
      });
      for (const digest of replaced) await checkpoints.of(id).remove(digest);
    },

    async finish(id, attempt, outcome, ranMs) {
      const job = await write(async (tx, now) => {
        const row = await fenced(tx, id, attempt);
        const before = ranMs === undefined ? row : { ...row, attempt_time: now - ranMs };
        const over = attemptOver(before, now);
        /** The next claim takes it to go on; stopLost ends it when it was asked to stop. */
        const release = () => change(tx, id, { ...over, lease_until: 0 });
        switch (outcome.state) {
          case "SUCCEEDED":
            await end(tx, before, now, "SUCCEEDED", { result: outcome.result });
            break;
          case "CANCELLED":
            await end(tx, before, now, "CANCELLED");
            break;
          case "PAUSED":
            // It may have been resumed or cancelled while it stopped.
            if (before.state === "PAUSING") await enter(tx, before, now, "PAUSED", over);
            else await release();
            break;
          case "INTERRUPTED":
            await release();
            break;
          case "FAILED": {
            const { error, retryAfterMs } = outcome;
            const failures = before.failures + 1;
            await change(tx, id, { failures });
            if (before.state === "CANCELLING") await end(tx, before, now, "CANCELLED", { error });
            else if (retryAfterMs === undefined || failures >= before.max_failures)
              await end(tx, before, now, "FAILED", { error });
            else if (before.state === "PAUSING") await enter(tx, before, now, "PAUSED", { ...over, error });
            else
              await enter(tx, before, now, "RETRY_WAIT", {
                ...over,
                error,
                retry_at: now + Math.min(retryAfterMs, LONGEST_RETRY_MS),
              });
          }
        }
        return get(tx, id);
      });
      if (isOver(job.state)) await checkpoints.removeAll(id);
      return job;
    },

    async owners() {
      const rows = await db
        .selectFrom("jobs")
        .select("owner")
        .distinct()
        .where("state", "in", RUNNING_STATES)
        .execute();
      return rows.flatMap(({ owner }) => owner ?? []);
    },

    releaseOwner: (owner) =>
      write(async (tx, now) => {
        const owned = tx.selectFrom("jobs").selectAll().where("owner", "=", owner).where("state", "in", RUNNING_STATES);
        for (const row of await database.forUpdate(owned.orderBy("id")).execute()) {
          const until = Math.min(now, row.lease_until ?? now);
          await change(tx, row.id, { ...attemptOver(row, until), lease_until: 0 });
        }
      }),
  };
}
