import { randomUUID } from "node:crypto";
import type { Transaction } from "kysely";
import type { Database } from "./database.ts";
import { type DatasetRead, lockReadDataset } from "./datasets.ts";
import { AlreadyExistsError } from "./errors.ts";
import { followEvents } from "./follow-events.ts";
import { type JobEvent, type JobEventBody, type JobRecord, type JobState, jobFromRow } from "./job-record.ts";
import type { JobTransactions } from "./job-transactions.ts";
import { canonicalJson, type JsonObject } from "./json.ts";
import { addJobVersion, lockVersion } from "./model-versions.ts";
import { type PageRequest, pageOf, placeFromPageToken, timedPlaceOf, timedPlaceSchema } from "./page.ts";
import type { Tables } from "./schema.ts";

/** A job to create. */
export interface NewJob {
  readonly kind: string;
  readonly spec: JsonObject;
  readonly displayName?: string;
  /** The same request id with the same digest answers the same job; without digests, with the same kind, spec and options. */
  readonly requestId?: string;
  /** The sha256 of the request as it was sent, before anything was looked up that may change. */
  readonly requestDigest?: string;
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
  /** Data sets that it reads: they cannot be deleted before it has ended, nor before its parent has. */
  readonly datasets?: readonly DatasetRead[];
  /**
   * Jobs that are its parts, made with it, all or none. It starts when the last of them has ended, whichever way, hears of
   * what becomes of them, and is cancelled, paused, resumed and tried again together with them.
   */
  readonly children?: readonly NewChild[];
}

/** A part of a job to create. Its id is given, so that those after it can wait for it. */
export interface NewChild extends Omit<NewJob, "requestId" | "requestDigest" | "children"> {
  readonly id: string;
}

/** How callers make and read jobs. */
export interface JobRequests {
  /**
   * @throws {AlreadyExistsError} when the request id belongs to another request
   * @throws {NotFoundError} when there is no such job to wait for, or no such version or data set to read
   * @throws {DatasetReplacedError} when a data set to read is not the one that the caller has seen
   * @throws {DependencyFailedError} when a job to wait for has ended without success
   */
  create(job: NewJob): Promise<{ readonly job: JobRecord; readonly created: boolean }>;
  /**
   * The job that a request made; undefined when it is new, or when an earlier release made the job, without a digest: then
   * `create` compares what both ask for.
   *
   * @throws {AlreadyExistsError} when the request id belongs to another request
   */
  requested(request: Required<Pick<NewJob, "requestId" | "requestDigest">>): Promise<JobRecord | undefined>;
  /** Throws what `create` would now, and makes nothing. */
  check(job: NewJob): Promise<void>;
  /** @throws {NotFoundError} */
  get(id: string): Promise<JobRecord>;
  /** Newest first. @throws {InvalidPageTokenError} */
  list(page: PageRequest & JobFilter): Promise<{ readonly jobs: readonly JobRecord[]; readonly nextPageToken: string }>;
  /** The children of a job, as they were given. */
  children(id: string): Promise<readonly JobRecord[]>;
  /** Events with numbers above `after`, in order. @throws {NotFoundError} */
  events(id: string, range: { readonly after: number; readonly limit: number }): Promise<readonly JobEvent[]>;
  /**
   * Events with numbers above `after`, stored ones and those to come, each once and in order, until the job has ended;
   * or until the signal aborts, which is no error. Follow again from the last number after an error.
   *
   * @throws {NotFoundError} @throws {StoreUnavailableError}
   */
  follow(id: string, range: { readonly after: number; readonly signal: AbortSignal }): AsyncGenerator<JobEvent, void>;
}

/** Which jobs are listed: those that are all of what is named. */
export interface JobFilter {
  /** Only its children. */
  readonly parent?: string | undefined;
  /** Of one of these kinds; of any when there is none. */
  readonly kinds?: readonly string[];
  /** In one of these states; in any when there is none. */
  readonly states?: readonly JobState[];
}

/** Where a child stands. */
interface JobPlace {
  readonly parent: string;
  readonly place: number;
}

/** The making and reading of jobs in a database. */
export function createJobRequests(database: Database, transactions: JobTransactions): JobRequests {
  const { kysely: db } = database;
  const { write, get, addEvents, noteChild, tellParents, waitsFor, addWaits } = transactions;

  const keepDatasets = async (tx: Transaction<Tables>, job: string, datasets: readonly DatasetRead[]) => {
    for (const read of datasets) {
      await lockReadDataset(database, tx, read);
      await tx
        .insertInto("job_datasets")
        .values({ job, dataset: read.id, digest: read.digest ?? null })
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
        const { requestDigest = null } = job;
        const isSame =
          row.request_digest === null || requestDigest === null
            ? requestOf(made) === requestOf(job)
            : row.request_digest === requestDigest;
        if (!isSame) throw requestIdReused(requestId, made.id);
        return { made, waits: [] };
      }
    }
    return { made: undefined, waits: await waitsFor(tx, optionsOf(job).after) };
  };

  const insert = async (
    tx: Transaction<Tables>,
    now: number,
    { id, job, waits, parent }: { id: string; job: NewJob; waits: readonly string[]; parent?: JobPlace },
  ): Promise<void> => {
    const { kind, spec, displayName = "", requestId, requestDigest, traceparent, maxFailures = 3 } = job;
    const { priority, timeLimitMs, after, resources } = optionsOf(job);
    await tx
      .insertInto("jobs")
      .values({
        id,
        kind,
        state: "QUEUED",
        max_failures: maxFailures,
        create_time: now,
        // The clock may be set back: what is created then must not overtake.
        turn: tx
          .selectFrom("jobs")
          .select(({ eb, fn }) => eb(fn.coalesce(fn.max("turn"), eb.lit(0)), "+", 1).as("turn")),
        spec: JSON.stringify(spec),
        display_name: displayName,
        request_id: requestId ?? null,
        request_digest: requestDigest ?? null,
        traceparent: traceparent ?? null,
        priority,
        time_limit_ms: timeLimitMs ?? null,
        run_after: JSON.stringify(after),
        resources: JSON.stringify(resources),
        parent: parent?.parent ?? null,
        place: parent?.place ?? null,
      })
      .execute();
    await addWaits(tx, id, waits);
    const taken = Object.entries(resources).map(([resource, amount]) => ({ job: id, resource, amount }));
    if (taken.length > 0) await tx.insertInto("job_resources").values(taken).execute();
    for (const version of job.modelVersions ?? []) await addJobVersion(database, tx, id, version);
    await keepDatasets(tx, id, job.datasets ?? []);
    await addEvents(tx, { id, attempt: 0, last_event: 0 }, now, [{ kind: "state", state: "QUEUED" }]);
    if (parent !== undefined) noteChild(tx, { id, parent: parent.parent, display_name: displayName }, "QUEUED");
  };

  return {
    create: (job) =>
      write(async (tx, now) => {
        const { made, waits } = await lookAround(tx, job);
        if (made !== undefined) return { job: made, created: false };
        const id = randomUUID();
        const { children = [] } = job;
        await insert(tx, now, { id, job, waits });
        for (const [place, child] of children.entries()) {
          const childWaits = await waitsFor(tx, optionsOf(child).after);
          await insert(tx, now, { id: child.id, job: child, waits: childWaits, parent: { parent: id, place } });
        }
        await addWaits(
          tx,
          id,
          children.map((child) => child.id),
        );
        await tellParents(tx, now);
        return { job: await get(tx, id), created: true };
      }),

    async requested({ requestId, requestDigest }) {
      const row = await db.selectFrom("jobs").selectAll().where("request_id", "=", requestId).executeTakeFirst();
      if (row === undefined || row.request_digest === null) return undefined;
      if (row.request_digest !== requestDigest) throw requestIdReused(requestId, row.id);
      return jobFromRow(row);
    },

    check: (job) =>
      write(async (tx) => {
        const { made } = await lookAround(tx, job);
        if (made !== undefined) return;
        const { children = [] } = job;
        const own = new Set(children.map(({ id }) => id));
        for (const { modelVersions = [], datasets = [], after = [] } of [job, ...children]) {
          await waitsFor(
            tx,
            after.filter((id) => !own.has(id)),
          );
          for (const { model, version } of modelVersions) await lockVersion(database, tx, model, version);
          for (const read of datasets) await lockReadDataset(database, tx, read);
        }
      }),

    get: (id) => get(db, id),

    async list({ pageSize, pageToken: token, parent, kinds = [], states = [] }) {
      const place = placeFromPageToken(token, timedPlaceSchema);
      let query = db.selectFrom("jobs").selectAll().orderBy("create_time", "desc").orderBy("id", "desc");
      if (parent !== undefined) query = query.where("parent", "=", parent);
      if (kinds.length > 0) query = query.where("kind", "in", kinds);
      if (states.length > 0) query = query.where("state", "in", states);
      if (place !== undefined) {
        query = query.where(({ eb, refTuple, tuple }) =>
          eb(refTuple("create_time", "id"), "<", tuple(place.time, place.id)),
        );
      }
      const read = await query.limit(pageSize + 1).execute();
      const { rows, nextPageToken } = pageOf(read, pageSize, timedPlaceOf);
      return { jobs: rows.map(jobFromRow), nextPageToken };
    },

    async children(id) {
      const rows = await db.selectFrom("jobs").selectAll().where("parent", "=", id).orderBy("place").execute();
      return rows.map(jobFromRow);
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
  };
}

function requestIdReused(requestId: string, job: string): AlreadyExistsError {
  const message = `The request id ${requestId} belongs to another request, that of job ${job}`;
  return new AlreadyExistsError("REQUEST_ID_REUSED", message);
}

/** How a job is run, what was not said filled in. */
function optionsOf({ priority = 0, timeLimitMs, after = [], resources = {} }: NewJob) {
  return { priority, timeLimitMs, after, resources };
}

/** What a request asked for, its names resolved: equal ones have equal texts. */
function requestOf(job: NewJob): string {
  const { kind, spec } = job;
  const { after, ...options } = optionsOf(job);
  return canonicalJson({ kind, spec, ...options, after: after.toSorted() });
}
