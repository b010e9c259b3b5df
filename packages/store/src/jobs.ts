import { randomUUID } from "node:crypto";
import type { Kysely, Transaction } from "kysely";
import { z } from "zod";
import type { Checkpoints } from "./blobs.ts";
import { databaseTimeMs, totalChanges } from "./database.ts";
import { AlreadyExistsError, FencedError, JobEndedError, NotFoundError } from "./errors.ts";
import {
  hasEnded,
  type JobError,
  type JobEvent,
  type JobEventBody,
  type JobRecord,
  type JobState,
  jobFromRow,
} from "./job-record.ts";
import { canonicalJson, type JsonObject } from "./json.ts";
import { type PageRequest, pageToken, placeFromPageToken } from "./page.ts";
import type { Tables } from "./schema.ts";

/** A job to create. */
export interface NewJob {
  readonly kind: string;
  readonly spec: JsonObject;
  readonly displayName?: string;
  /** The same request id with the same kind and spec answers the same job. */
  readonly requestId?: string;
  readonly traceparent?: string | undefined;
  /** Attempts that may fail before the job does; default 3. */
  readonly maxFailures?: number;
}

/** How an attempt ended. */
export type AttemptOutcome =
  | { readonly state: "SUCCEEDED"; readonly result: JsonObject }
  | { readonly state: "CANCELLED" }
  /** Failed for good, or until the next attempt while failures are left. */
  | { readonly state: "FAILED"; readonly error: JobError; readonly retryAfterMs?: number }
  /** The server stops: the next one goes on at once. */
  | { readonly state: "INTERRUPTED" };

/**
 * Jobs and their events. Every write of an attempt names its number: when another attempt was started meanwhile, the
 * write changes nothing and throws FencedError.
 */
export interface Jobs {
  /** @throws {AlreadyExistsError} when the request id belongs to another request */
  create(job: NewJob): Promise<{ readonly job: JobRecord; readonly created: boolean }>;
  /** @throws {NotFoundError} */
  get(id: string): Promise<JobRecord>;
  /** Newest first. @throws {InvalidPageTokenError} */
  list(page: PageRequest): Promise<{ readonly jobs: readonly JobRecord[]; readonly nextPageToken: string }>;
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
  /** Events with numbers above `after`, in order. @throws {NotFoundError} */
  events(id: string, range: { readonly after: number; readonly limit: number }): Promise<readonly JobEvent[]>;
  /** Asks a job to stop; one that does not run stops here. @throws {NotFoundError} @throws {JobEndedError} */
  requestCancel(id: string): Promise<JobRecord>;
  /** Ends an attempt. @throws {FencedError} */
  finish(id: string, attempt: number, outcome: AttemptOutcome): Promise<JobRecord>;
  /** The owners of running jobs. */
  owners(): Promise<readonly string[]>;
  /** Ends the leases of an owner that is known to be gone. */
  releaseOwner(owner: string): Promise<void>;
}

const placeSchema = z.strictObject({ time: z.number(), id: z.string() });
const RUNNING = ["RUNNING", "CANCELLING"];

/** Jobs in a database. */
export function createJobs(db: Kysely<Tables>, checkpoints: Checkpoints, notify: () => void): Jobs {
  /** One transaction, after which watchers are told when it changed anything. */
  const write = async <T>(work: (tx: Transaction<Tables>, now: number) => Promise<T>): Promise<T> => {
    const { result, changed } = await db.transaction().execute(async (tx) => {
      const before = await totalChanges(tx);
      const result = await work(tx, await databaseTimeMs(tx));
      return { result, changed: (await totalChanges(tx)) !== before };
    });
    if (changed) notify();
    return result;
  };

  const get = async (tx: Kysely<Tables> | Transaction<Tables>, id: string): Promise<JobRecord> => {
    const row = await tx.selectFrom("jobs").selectAll().where("id", "=", id).executeTakeFirst();
    if (row === undefined) throw new NotFoundError("job", id);
    return jobFromRow(row);
  };

  const addEvents = async (
    tx: Transaction<Tables>,
    job: Pick<JobRecord, "id" | "attempt" | "lastEvent">,
    time: number,
    events: readonly JobEventBody[],
  ): Promise<void> => {
    if (events.length === 0) return;
    const last = job.lastEvent + events.length;
    await tx.updateTable("jobs").set({ last_event: last }).where("id", "=", job.id).execute();
    const rows = events.map((body, i) => ({
      job: job.id,
      number: job.lastEvent + 1 + i,
      attempt: job.attempt,
      time,
      body: JSON.stringify(body),
    }));
    await tx.insertInto("job_events").values(rows).execute();
  };

  /** The job, if the attempt may still write to it. */
  const fenced = async (tx: Transaction<Tables>, id: string, attempt: number): Promise<JobRecord> => {
    const job = await get(tx, id);
    if (job.attempt !== attempt || !RUNNING.includes(job.state)) throw new FencedError(id, attempt);
    return job;
  };

  const end = async (
    tx: Transaction<Tables>,
    job: JobRecord,
    now: number,
    state: JobState,
    changes: { result?: JsonObject; error?: JobError } = {},
  ): Promise<void> => {
    const { result, error } = changes;
    await tx
      .updateTable("jobs")
      .set({
        state,
        end_time: now,
        owner: null,
        lease_until: null,
        retry_at: null,
        eta_ms: null,
        checkpoint_digest: null,
        checkpoint_step: null,
        ...(state === "SUCCEEDED" ? { progress: 1 } : {}),
        ...(result === undefined ? {} : { result: JSON.stringify(result) }),
        ...(error === undefined ? {} : { error: JSON.stringify(error) }),
      })
      .where("id", "=", job.id)
      .execute();
    await addEvents(tx, job, now, [{ kind: "state", state, ...(error === undefined ? {} : { error }) }]);
  };

  return {
    async create({ kind, spec, displayName = "", requestId, traceparent, maxFailures = 3 }) {
      return write(async (tx, now) => {
        if (requestId !== undefined) {
          const row = await tx.selectFrom("jobs").selectAll().where("request_id", "=", requestId).executeTakeFirst();
          if (row !== undefined) {
            const job = jobFromRow(row);
            if (job.kind === kind && canonicalJson(job.spec) === canonicalJson(spec)) return { job, created: false };
            throw new AlreadyExistsError(
              "REQUEST_ID_REUSED",
              `The request id ${requestId} belongs to another request, that of job ${job.id}`,
            );
          }
        }
        const id = randomUUID();
        await tx
          .insertInto("jobs")
          .values({
            id,
            kind,
            state: "QUEUED",
            max_failures: maxFailures,
            create_time: now,
            spec: JSON.stringify(spec),
            display_name: displayName,
            request_id: requestId ?? null,
            traceparent: traceparent ?? null,
          })
          .execute();
        await addEvents(tx, { id, attempt: 0, lastEvent: 0 }, now, [{ kind: "state", state: "QUEUED" }]);
        return { job: await get(tx, id), created: true };
      });
    },

    get: (id) => get(db, id),

    async list({ pageSize, pageToken: token }) {
      const place = placeFromPageToken(token, placeSchema);
      let query = db.selectFrom("jobs").selectAll().orderBy("create_time", "desc").orderBy("id", "desc");
      if (place !== undefined) {
        query = query.where(({ eb, refTuple, tuple }) =>
          eb(refTuple("create_time", "id"), "<", tuple(place.time, place.id)),
        );
      }
      const rows = await query.limit(pageSize + 1).execute();
      const jobs = rows.slice(0, pageSize).map(jobFromRow);
      const last = jobs.at(-1);
      const more = rows.length > pageSize && last !== undefined;
      return { jobs, nextPageToken: more ? pageToken({ time: last.createTimeMs, id: last.id }) : "" };
    },

    claim: ({ kinds, owner, leaseMs }) =>
      write(async (tx, now) => {
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
        if (row === undefined) return undefined;
        await addEvents(tx, jobFromRow(row), now, [{ kind: "state", state: "RUNNING" }]);
        return get(tx, row.id);
      }),

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

    async events(id, { after, limit }) {
      const rows = await db
        .selectFrom("job_events")
        .selectAll()
        .where("job", "=", id)
        .where("number", ">", after)
        .orderBy("number")
        .limit(limit)
        .execute();
      if (rows.length === 0) await get(db, id);
      return rows.map(({ number, attempt, time, body }) => ({
        ...(JSON.parse(body) as JobEventBody),
        number,
        attempt,
        timeMs: time,
      }));
    },

    requestCancel: (id) =>
      write(async (tx, now) => {
        const job = await get(tx, id);
        if (hasEnded(job.state)) throw new JobEndedError(id, job.state);
        if (job.state === "QUEUED" || job.state === "RETRY_WAIT") await end(tx, job, now, "CANCELLED");
        else if (job.state === "RUNNING") {
          await tx.updateTable("jobs").set({ state: "CANCELLING" }).where("id", "=", id).execute();
          await addEvents(tx, job, now, [{ kind: "state", state: "CANCELLING" }]);
        }
        return get(tx, id);
      }),

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
      if (hasEnded(job.state)) await checkpoints.removeAll(id);
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
