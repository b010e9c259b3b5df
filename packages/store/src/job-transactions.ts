import type { Kysely, Transaction } from "kysely";
import { databaseTimeMs, type Executor, totalChanges } from "./database.ts";
import { FencedError, NotFoundError } from "./errors.ts";
import { type JobError, type JobEventBody, type JobRecord, type JobState, jobFromRow } from "./job-record.ts";
import type { JsonObject } from "./json.ts";
import type { Tables } from "./schema.ts";

/** States in which an attempt may write. */
export const RUNNING: readonly string[] = ["RUNNING", "CANCELLING"];

/** What every change of a job is made of. */
export type JobTransactions = ReturnType<typeof createJobTransactions>;

/** The parts of a job's changes. @param notify told after every transaction that changed anything */
export function createJobTransactions(db: Kysely<Tables>, notify: () => void) {
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

  const get = async (tx: Executor, id: string): Promise<JobRecord> => {
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
        // A failed job may be tried again, and goes on from its checkpoint then.
        ...(state === "FAILED" ? {} : { checkpoint_digest: null, checkpoint_step: null }),
        ...(state === "SUCCEEDED" ? { progress: 1 } : {}),
        ...(result === undefined ? {} : { result: JSON.stringify(result) }),
        ...(error === undefined ? {} : { error: JSON.stringify(error) }),
      })
      .where("id", "=", job.id)
      .execute();
    await addEvents(tx, job, now, [{ kind: "state", state, ...(error === undefined ? {} : { error }) }]);
  };

  return { write, get, addEvents, fenced, end };
}
