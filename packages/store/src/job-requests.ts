import { randomUUID } from "node:crypto";
import type { Kysely } from "kysely";
import { z } from "zod";
import { AlreadyExistsError, JobEndedError, JobNotFailedError } from "./errors.ts";
import { hasEnded, type JobEvent, type JobEventBody, type JobRecord, jobFromRow } from "./job-record.ts";
import type { JobTransactions } from "./job-transactions.ts";
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

/** What callers ask of jobs. */
export interface JobRequests {
  /** @throws {AlreadyExistsError} when the request id belongs to another request */
  create(job: NewJob): Promise<{ readonly job: JobRecord; readonly created: boolean }>;
  /** @throws {NotFoundError} */
  get(id: string): Promise<JobRecord>;
  /** Newest first. @throws {InvalidPageTokenError} */
  list(page: PageRequest): Promise<{ readonly jobs: readonly JobRecord[]; readonly nextPageToken: string }>;
  /** Events with numbers above `after`, in order. @throws {NotFoundError} */
  events(id: string, range: { readonly after: number; readonly limit: number }): Promise<readonly JobEvent[]>;
  /** Asks a job to stop; one that does not run stops here. @throws {NotFoundError} @throws {JobEndedError} */
  requestCancel(id: string): Promise<JobRecord>;
  /**
   * Queues a failed job again, with all its failures allowed anew; it goes on from its last checkpoint.
   *
   * @throws {NotFoundError} @throws {JobNotFailedError}
   */
  retry(id: string): Promise<JobRecord>;
}

const placeSchema = z.strictObject({ time: z.number(), id: z.string() });

/** The callers' side of jobs in a database. */
export function createJobRequests(db: Kysely<Tables>, transactions: JobTransactions): JobRequests {
  const { write, get, addEvents, end } = transactions;
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

    retry: (id) =>
      write(async (tx, now) => {
        const job = await get(tx, id);
        if (job.state !== "FAILED") throw new JobNotFailedError(id, job.state);
        const changes = { state: "QUEUED", failures: 0, error: null, end_time: null };
        await tx.updateTable("jobs").set(changes).where("id", "=", id).execute();
        await addEvents(tx, job, now, [{ kind: "state", state: "QUEUED" }]);
        return get(tx, id);
      }),
  };
}
