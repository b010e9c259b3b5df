import { randomUUID } from "node:crypto";
import type { Transaction } from "kysely";
import { z } from "zod";
import type { Database } from "./database.ts";
import {
  AlreadyExistsError,
  DependencyFailedError,
  JobEndedError,
  JobNotFailedError,
  JobStateError,
} from "./errors.ts";
import { followEvents } from "./follow-events.ts";
import { hasEnded, type JobEvent, type JobEventBody, type JobRecord, type JobState, jobFromRow } from "./job-record.ts";
import type { JobRow, JobTransactions } from "./job-transactions.ts";
import { canonicalJson, type JsonObject } from "./json.ts";
import { lockVersion } from "./model-versions.ts";
import { type PageRequest, pageOf, placeFromPageToken } from "./page.ts";
import type { Tables } from "./schema.ts";

/** A job to create. */
export interface NewJob {
  readonly kind: string;
  readonly spec: JsonObject;
  readonly displayName?: string;
  /** The same request id with the same kind, spec and options answers the same job. */
  readonly requestId?: string;
  readonly traceparent?: string | undefined;
  /** Attempts that may fail before the job does; default 3. */
  readonly maxFailures?: number;
  /** Jobs of a higher priority run first; default 0. */
  readonly priority?: number;
  /** How long its attempts may run, all together; default without limit. */
  readonly timeLimitMs?: number | undefined;
  /** Jobs that must succeed before it starts; when one of them ends otherwise, it fails. */
  readonly after?: readonly string[];
  /** What it takes of its machine while it runs, beside its kind's slot, such as { gpu: 1 }. */
  readonly resources?: Readonly<Record<string, number>>;
  /** Versions that it reads: they cannot be deleted before it has ended. */
  readonly modelVersions?: readonly { readonly model: string; readonly version: string }[];
}

/** What callers ask of jobs. */
export interface JobRequests {
  /**
   * @throws {AlreadyExistsError} when the request id belongs to another request
   * @throws {NotFoundError} when there is no such job to wait for, or no such version to read
   * @throws {DependencyFailedError} when a job to wait for has ended without success
   */
  create(job: NewJob): Promise<{ readonly job: JobRecord; readonly created: boolean }>;
  /** Throws what `create` would now, and makes nothing. */
  check(job: NewJob): Promise<void>;
  /** @throws {NotFoundError} */
  get(id: string): Promise<JobRecord>;
  /** Newest first. @throws {InvalidPageTokenError} */
  list(page: PageRequest): Promise<{ readonly jobs: readonly JobRecord[]; readonly nextPageToken: string }>;
  /** Events with numbers above `after`, in order. @throws {NotFoundError} */
  events(id: string, range: { readonly after: number; readonly limit: number }): Promise<readonly JobEvent[]>;
  /**
   * Events with numbers above `after`, stored ones and those to come, each once and in order, until the job has ended;
   * or until the signal aborts, which is no error. Follow again from the last number after an error.
   *
   * @throws {NotFoundError} @throws {StoreUnavailableError}
   */
  follow(id: string, range: { readonly after: number; readonly signal: AbortSignal }): AsyncGenerator<JobEvent, void>;
  /** Asks a job to stop; one that does not run stops here. @throws {NotFoundError} @throws {JobEndedError} */
  requestCancel(id: string): Promise<JobRecord>;
  /**
   * Asks a job to stop at a checkpoint and to wait for its resumption; one that does not run does so here. It is fine to
   * ask twice.
   *
   * @throws {NotFoundError} @throws {JobEndedError} @throws {JobStateError} when it is being cancelled
   */
  requestPause(id: string): Promise<JobRecord>;
  /**
   * Queues a paused job again; one that is still pausing goes on with another attempt. It is fine to ask twice.
   *
   * @throws {NotFoundError} @throws {JobEndedError} @throws {JobStateError} when it is being cancelled
   */
  requestResume(id: string): Promise<JobRecord>;
  /**
   * Queues a failed job again, with all its failures and its time allowed anew; it goes on from its last checkpoint, and
   * waits again for the jobs it was to wait for.
   *
   * @throws {NotFoundError} also when a version that it reads was deleted since @throws {JobNotFailedError}
   * @throws {DependencyFailedError} when a job to wait for has not been tried again
   */
  retry(id: string): Promise<JobRecord>;
}

const placeSchema = z.strictObject({ time: z.number(), id: z.string() });

/** The callers' side of jobs in a database. */
export function createJobRequests(database: Database, transactions: JobTransactions): JobRequests {
  const { kysely: db } = database;
  const { write, get, getLocked, change, addEvents, enter, end } = transactions;

  /** What a new job waits for, without what has succeeded. Their rows stay as they are until the job is stored. */
  const waitsFor = async (tx: Transaction<Tables>, after: readonly string[]): Promise<readonly string[]> => {
    const waits: string[] = [];
    for (const needs of [...new Set(after)].sort()) {
      const { state } = await getLocked(tx, needs);
      if (state === "FAILED" || state === "CANCELLED") throw new DependencyFailedError(needs, state);
      if (state !== "SUCCEEDED") waits.push(needs);
    }
    return waits;
  };

  const addWaits = async (tx: Transaction<Tables>, job: string, waits: readonly string[]) => {
    if (waits.length > 0)
      await tx
        .insertInto("job_waits")
        .values(waits.map((needs) => ({ job, needs })))
        .execute();
  };

  const keepVersions = async (tx: Transaction<Tables>, job: string, versions: NonNullable<NewJob["modelVersions"]>) => {
    for (const { model, version: name } of versions) {
      const { version } = await lockVersion(database, tx, model, name);
      const kept = { job, model, version };
      await tx
        .insertInto("job_versions")
        .values(kept)
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    }
  };

  /** The job that the same request made before, or what a new one waits for. */
  const lookAround = async (tx: Transaction<Tables>, job: NewJob) => {
    const { requestId } = job;
    if (requestId !== undefined) {
      await database.lock(tx, `request ${requestId}`);
      const row = await tx.selectFrom("jobs").selectAll().where("request_id", "=", requestId).executeTakeFirst();
      if (row !== undefined) {
        const made = jobFromRow(row);
        if (requestOf(made) === requestOf(job)) return { made, waits: [] };
        const message = `The request id ${requestId} belongs to another request, that of job ${made.id}`;
        throw new AlreadyExistsError("REQUEST_ID_REUSED", message);
      }
    }
    return { made: undefined, waits: await waitsFor(tx, optionsOf(job).after) };
  };

  /** A change that a job allows in the states named. */
  const request = (id: string, change: (tx: Transaction<Tables>, job: JobRow, now: number) => Promise<void>) =>
    write(async (tx, now) => {
      const job = await getLocked(tx, id);
      if (hasEnded(job.state as JobState)) throw new JobEndedError(id, job.state);
      await change(tx, job, now);
      return get(tx, id);
    });

  return {
    create: (job) =>
      write(async (tx, now) => {
        const { made, waits } = await lookAround(tx, job);
        if (made !== undefined) return { job: made, created: false };
        const { kind, spec, displayName = "", requestId, traceparent, maxFailures = 3, modelVersions = [] } = job;
        const { priority, timeLimitMs, after, resources } = optionsOf(job);
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
            priority,
            time_limit_ms: timeLimitMs ?? null,
            run_after: JSON.stringify(after),
            resources: JSON.stringify(resources),
          })
          .execute();
        await addWaits(tx, id, waits);
        const taken = Object.entries(resources).map(([resource, amount]) => ({ job: id, resource, amount }));
        if (taken.length > 0) await tx.insertInto("job_resources").values(taken).execute();
        await keepVersions(tx, id, modelVersions);
        await addEvents(tx, { id, attempt: 0, last_event: 0 }, now, [{ kind: "state", state: "QUEUED" }]);
        return { job: await get(tx, id), created: true };
      }),

    check: (job) =>
      write(async (tx) => {
        const { made } = await lookAround(tx, job);
        if (made !== undefined) return;
        for (const { model, version } of job.modelVersions ?? []) await lockVersion(database, tx, model, version);
      }),

    get: (id) => get(db, id),

    async list({ pageSize, pageToken: token }) {
      const place = placeFromPageToken(token, placeSchema);
      let query = db.selectFrom("jobs").selectAll().orderBy("create_time", "desc").orderBy("id", "desc");
      if (place !== undefined) {
        query = query.where(({ eb, refTuple, tuple }) =>
          eb(refTuple("create_time", "id"), "<", tuple(place.time, place.id)),
        );
      }
      const read = await query.limit(pageSize + 1).execute();
      const { rows, nextPageToken } = pageOf(read, pageSize, ({ create_time, id }) => ({ time: create_time, id }));
      return { jobs: rows.map(jobFromRow), nextPageToken };
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

    follow(id, { after, signal }) {
      return followEvents(this, database.changes.watch(signal), id, after);
    },

    requestCancel: (id) =>
      request(id, async (tx, job, now) => {
        if (job.state === "RUNNING" || job.state === "PAUSING") await enter(tx, job, now, "CANCELLING");
        else if (job.state !== "CANCELLING") await end(tx, job, now, "CANCELLED");
      }),

    requestPause: (id) =>
      request(id, async (tx, job, now) => {
        if (job.state === "CANCELLING") throw new JobStateError(id, "can be paused", job.state);
        if (job.state === "RUNNING") await enter(tx, job, now, "PAUSING");
        else if (job.state === "QUEUED" || job.state === "RETRY_WAIT")
          await enter(tx, job, now, "PAUSED", { retry_at: null });
      }),

    requestResume: (id) =>
      request(id, async (tx, job, now) => {
        if (job.state === "CANCELLING") throw new JobStateError(id, "can be resumed", job.state);
        if (job.state === "PAUSED") await enter(tx, job, now, "QUEUED");
        else if (job.state === "PAUSING") await enter(tx, job, now, "RUNNING");
      }),

    retry: (id) =>
      write(async (tx, now) => {
        // What it waits for is locked first, as where such a job ends.
        const { state, after } = await get(tx, id);
        if (state !== "FAILED") throw new JobNotFailedError(id, state);
        const waits = await waitsFor(tx, after);
        const job = await getLocked(tx, id);
        if (job.state !== "FAILED") throw new JobNotFailedError(id, job.state);
        await addWaits(tx, id, waits);
        // Nobody kept its versions since it failed.
        const read = await tx.selectFrom("job_versions").select(["model", "version"]).where("job", "=", id).execute();
        for (const { model, version } of read) await lockVersion(database, tx, model, String(version));
        await change(tx, id, { error: null });
        await enter(tx, job, now, "QUEUED", { failures: 0, run_ms: 0, end_time: null });
        return get(tx, id);
      }),
  };
}

/** How a job is run, what was not said filled in. */
function optionsOf({ priority = 0, timeLimitMs, after = [], resources = {} }: NewJob) {
  return { priority, timeLimitMs, after, resources };
}

/** What a request asked for: equal ones have equal texts. */
function requestOf(job: NewJob): string {
  const { kind, spec } = job;
  const { after, ...options } = optionsOf(job);
  return canonicalJson({ kind, spec, ...options, after: after.toSorted() });
}
