import type { Kysely } from "kysely";
import type { Checkpoints } from "./blobs.ts";
import { databaseTimeMs } from "./database.ts";
import { hasEnded, type JobError, type JobEventBody, type JobRecord, jobFromRow } from "./job-record.ts";
import { type JobTransactions, RUNNING } from "./job-transactions.ts";
import type { JsonObject } from "./json.ts";
import type { Tables } from "./schema.ts";

/** How an attempt ended. */
export type AttemptOutcome =
  | { readonly state: "SUCCEEDED"; readonly result: JsonObject }
  | { readonly state: "CANCELLED" }
  /** Failed for good, or until the next attempt while failures are left. */
  | { readonly state: "FAILED"; readonly error: JobError; readonly retryAfterMs?: number }
  /** The server stops: the next one goes on at once. */
  | { readonly state: "INTERRUPTED" };

/**
 * What those who run jobs do. Every write of an attempt names its number: when another attempt was started meanwhile, the
 * write changes nothing and throws FencedError.
 */
export interface JobAttempts {
  /**
   * Takes the oldest job that can run (queued, due for its retry, or with a lease that ran out) and starts its next
   * attempt. Jobs that were to be cancelled when their owner was lost are ended as cancelled.
   */
  claim(by: {
    readonly kinds: readonly string[];
    readonly owner: string;
    readonly leaseMs: number;
  }): Promise<JobRecord | undefined>;
  /** Extends a lease. @throws {FencedError} */
  heartbeat(id: string, attempt: number, leaseMs: number): Promise<{ readonly cancelRequested: boolean }>;
  /** Stores events of an attempt; a checkpoint replaces the one before. @throws {FencedError} */
  append(id: string, attempt: number, events: readonly JobEventBody[]): Promise<void>;
  /** Ends an attempt. @throws {FencedError} */
  finish(id: string, attempt: number, outcome: AttemptOutcome): Promise<JobRecord>;
  /** The owners of running jobs. */
  owners(): Promise<readonly string[]>;
  /** Ends the leases of an owner that is known to be gone. */
  releaseOwner(owner: string): Promise<void>;
}

/** The runners' side of jobs in a database. */
export function createJobAttempts(
  db: Kysely<Tables>,
  { write, get, addEvents, fenced, end }: JobTransactions,
  checkpoints: Checkpoints,
): JobAttempts {
  return {
    async claim({ kinds, owner, leaseMs }) {
      const { claimed, cancelled } = await write(async (tx, now) => {
        const lost = await tx
          .selectFrom("jobs")
          .selectAll()
          .where("kind", "in", kinds)
          .where("state", "=", "CANCELLING")
          .where("lease_until", "<", now)
          .execute();
        for (const row of lost) await end(tx, jobFromRow(row), now, "CANCELLED");
        const next = tx
          .selectFrom("jobs")
          .select("id")
          .where("kind", "in", kinds)
          .where(({ or, and, eb }) =>
            or([
              eb("state", "=", "QUEUED"),
              and([eb("state", "=", "RETRY_WAIT"), eb("retry_at", "<=", now)]),
              and([eb("state", "=", "RUNNING"), eb("lease_until", "<", now)]),
            ]),
          )
          .orderBy("create_time")
          .orderBy("id")
          .limit(1);
        const row = await tx
          .updateTable("jobs")
          .set(({ eb, fn, val }) => ({
            state: "RUNNING",
            attempt: eb("attempt", "+", 1),
            owner,
            lease_until: now + leaseMs,
            retry_at: null,
            start_time: fn.coalesce("start_time", val(now)),
          }))
          .where("id", "=", next)
          .returningAll()
          .executeTakeFirst();
        const cancelled = lost.map(({ id }) => id);
        if (row === undefined) return { claimed: undefined, cancelled };
        await addEvents(tx, jobFromRow(row), now, [{ kind: "state", state: "RUNNING" }]);
        return { claimed: await get(tx, row.id), cancelled };
      });
      for (const id of cancelled) await checkpoints.removeAll(id);
      return claimed;
    },

    async heartbeat(id, attempt, leaseMs) {
      return db.transaction().execute(async (tx) => {
        const { state } = await fenced(tx, id, attempt);
        const until = (await databaseTimeMs(tx)) + leaseMs;
        await tx.updateTable("jobs").set({ lease_until: until }).where("id", "=", id).execute();
        return { cancelRequested: state === "CANCELLING" };
      });
    },

    async append(id, attempt, events) {
      const replaced = await write(async (tx, now) => {
        const job = await fenced(tx, id, attempt);
        await addEvents(tx, job, now, events);
        const progress = events.findLast((event) => event.kind === "progress");
        const checkpoint = events.findLast((event) => event.kind === "checkpoint");
        if (progress !== undefined) {
          const changes = { progress: progress.fraction, eta_ms: progress.etaMs ?? null };
          await tx.updateTable("jobs").set(changes).where("id", "=", id).execute();
        }
        if (checkpoint === undefined || checkpoint.digest === job.checkpoint?.digest) return undefined;
        const changes = { checkpoint_digest: checkpoint.digest, checkpoint_step: checkpoint.step };
        await tx.updateTable("jobs").set(changes).where("id", "=", id).execute();
        return job.checkpoint?.digest;
      });
      if (replaced !== undefined) await checkpoints.of(id).remove(replaced);
    },

    async finish(id, attempt, outcome) {
      const job = await write(async (tx, now) => {
        const before = await fenced(tx, id, attempt);
        switch (outcome.state) {
          case "SUCCEEDED":
            await end(tx, before, now, "SUCCEEDED", { result: outcome.result });
            break;
          case "CANCELLED":
            await end(tx, before, now, "CANCELLED");
            break;
          case "INTERRUPTED":
            await tx.updateTable("jobs").set({ owner: null, lease_until: 0 }).where("id", "=", id).execute();
            break;
          case "FAILED": {
            const { error, retryAfterMs } = outcome;
            const failures = before.failures + 1;
            await tx.updateTable("jobs").set({ failures }).where("id", "=", id).execute();
            if (before.state === "CANCELLING") await end(tx, before, now, "CANCELLED", { error });
            else if (retryAfterMs === undefined || failures >= before.maxFailures)
              await end(tx, before, now, "FAILED", { error });
            else {
              const changes = { state: "RETRY_WAIT", owner: null, lease_until: null, retry_at: now + retryAfterMs };
              await tx.updateTable("jobs").set(changes).where("id", "=", id).execute();
              await addEvents(tx, before, now, [{ kind: "state", state: "RETRY_WAIT", error }]);
            }
          }
        }
        return get(tx, id);
      });
      if (hasEnded(job.state) && job.state !== "FAILED") await checkpoints.removeAll(id);
      return job;
    },

    async owners() {
      const rows = await db.selectFrom("jobs").select("owner").distinct().where("state", "in", RUNNING).execute();
      return rows.flatMap(({ owner }) => owner ?? []);
    },

    releaseOwner: (owner) =>
      write(async (tx) => {
        await tx
          .updateTable("jobs")
          .set({ lease_until: 0, owner: null })
          .where("owner", "=", owner)
          .where("state", "in", RUNNING)
          .execute();
      }),
  };
}
