import type { Selectable, Transaction } from "kysely";
import { type Database, databaseTimeMs, type Executor } from "./database.ts";
import { DependencyFailedError, NotFoundError } from "./errors.ts";
import { NO_CHECKPOINTS } from "./job-checkpoints.ts";
import { hasEnded, type JobError, type JobEventBody, type JobRecord, type JobState, jobFromRow } from "./job-record.ts";
import type { JsonObject } from "./json.ts";
import { lockRunning } from "./running-attempt.ts";
import type { Tables } from "./schema.ts";

/** A job as its row holds it. */
export type JobRow = Selectable<Tables["jobs"]>;

/** A child's new state, for its parent. */
interface ChildChange {
  readonly parent: string;
  readonly body: Extract<JobEventBody, { kind: "child" }>;
}

/** What every change of a job is made of. */
export type JobTransactions = ReturnType<typeof createJobTransactions>;

/** The parts of a job's changes. Whoever changes a job has locked its row: its events get their numbers one after the other. */
export function createJobTransactions(database: Database) {
  /** What became of children in a transaction that their parents have not been told yet. */
  const untold = new WeakMap<Transaction<Tables>, ChildChange[]>();

  /** One transaction, with the database's time. */
  const write = <T>(work: (tx: Transaction<Tables>, now: number) => Promise<T>): Promise<T> =>
    database.transaction(async (tx) => {
      const now = await databaseTimeMs(database, tx);
      const result = await work(tx, now);
      await tellParents(tx, now);
      return result;
    });

  const get = async (executor: Executor, id: string): Promise<JobRecord> => {
    const row = await executor.selectFrom("jobs").selectAll().where("id", "=", id).executeTakeFirst();
    if (row === undefined) throw new NotFoundError("job", id);
    return jobFromRow(row);
  };

  const getLocked = async (tx: Transaction<Tables>, id: string): Promise<JobRow> => {
    const query = tx.selectFrom("jobs").selectAll().where("id", "=", id);
    const row = await database.forUpdate(query).executeTakeFirst();
    if (row === undefined) throw new NotFoundError("job", id);
    return row;
  };

  /** Changes a row that is locked. */
  const change = async (
    tx: Transaction<Tables>,
    id: string,
    changes: Partial<Omit<JobRow, "id" | "state">> & { readonly state?: JobState },
  ): Promise<void> => {
    if (Object.keys(changes).length > 0) await tx.updateTable("jobs").set(changes).where("id", "=", id).execute();
  };

  const addEvents = async (
    tx: Transaction<Tables>,
    job: Pick<JobRow, "id" | "attempt" | "last_event">,
    time: number,
    events: readonly JobEventBody[],
  ): Promise<void> => {
    if (events.length === 0) return;
    await change(tx, job.id, { last_event: job.last_event + events.length });
    const rows = events.map((body, i) => ({
      job: job.id,
      number: job.last_event + 1 + i,
      attempt: job.attempt,
      time,
      body: JSON.stringify(body),
    }));
    await tx.insertInto("job_events").values(rows).execute();
  };

  /** Has the parent of a job told of its state, if it has one. */
  const noteChild = (
    tx: Transaction<Tables>,
    { id, parent, display_name: displayName }: Pick<JobRow, "id" | "parent" | "display_name">,
    state: JobState,
    error?: JobError,
  ): void => {
    if (parent === null) return;
    const changes = untold.get(tx) ?? [];
    untold.set(tx, changes);
    const body = { kind: "child", job: id, displayName, state, ...(error !== undefined && { error }) } as const;
    changes.push({ parent, body });
  };

  /**
   * Tells parents what became of their children, and how many are done; one that was to be cancelled ends with the last of
   * them. Done last in a transaction: whoever changes several rows of a family locks parents after their children.
   */
  const tellParents = async (tx: Transaction<Tables>, now: number): Promise<void> => {
    const changes = Map.groupBy(untold.get(tx) ?? [], ({ parent }) => parent);
    untold.delete(tx);
    for (const id of [...changes.keys()].sort()) {
      const parent = await getLocked(tx, id);
      if (hasEnded(parent.state as JobState)) continue;
      const events: JobEventBody[] = changes.get(id)!.map(({ body }) => body);
      const children = await tx.selectFrom("jobs").select("state").where("parent", "=", id).execute();
      const done = children.filter(({ state }) => state === "SUCCEEDED").length;
      const fraction = done / children.length;
      if (fraction !== parent.progress) {
        const steps = { step: done, totalSteps: children.length, epoch: 0 };
        events.push({ kind: "progress", fraction, phase: "children", ...steps });
        await change(tx, id, { progress: fraction });
      }
      await addEvents(tx, parent, now, events);
      const isOver = children.every(({ state }) => hasEnded(state as JobState));
      if (parent.state === "CANCELLING" && parent.owner === null && isOver) {
        await end(tx, await getLocked(tx, id), now, "CANCELLED");
      }
    }
  };

  /** Moves a job to a state, and tells. */
  const enter = async (
    tx: Transaction<Tables>,
    job: JobRow,
    now: number,
    state: JobState,
    { error, ...changes }: Partial<Omit<JobRow, "id" | "state" | "error">> & { readonly error?: JobError } = {},
  ): Promise<void> => {
    await change(tx, job.id, { ...changes, state });
    await addEvents(tx, job, now, [{ kind: "state", state, ...(error !== undefined && { error }) }]);
    noteChild(tx, job, state, error);
  };

  /** The job, if the attempt may still write to it. */
  const fenced = (tx: Transaction<Tables>, id: string, attempt: number): Promise<JobRow> =>
    lockRunning(database, tx, { id, attempt });

  const end = async (
    tx: Transaction<Tables>,
    job: JobRow,
    now: number,
    state: "SUCCEEDED" | "FAILED" | "CANCELLED",
    { result, error }: { readonly result?: JsonObject; readonly error?: JobError } = {},
  ): Promise<void> => {
    await change(tx, job.id, {
      ...(state === "SUCCEEDED" && { progress: 1 }),
      ...(result !== undefined && { result: JSON.stringify(result) }),
      ...(error !== undefined && { error: JSON.stringify(error) }),
    });
    await enter(tx, job, now, state, {
      ...(error !== undefined && { error }),
      ...attemptOver(job, now),
      end_time: now,
      retry_at: null,
      eta_ms: null,
      // A failed job may be tried again, and goes on from a checkpoint then.
      ...(state !== "FAILED" && NO_CHECKPOINTS),
    });
    // Its parent waits until it has ended, whichever way; others wait until it has succeeded.
    await tx
      .deleteFrom("job_waits")
      .where("needs", "=", job.id)
      .$if(state !== "SUCCEEDED", (waits) => waits.where("job", "=", job.parent ?? ""))
      .execute();
    if (state !== "SUCCEEDED") await failWaiting(tx, job.id, now, state);
  };

  /** Ends the jobs that wait for one that will not succeed, and those that wait for them. */
  const failWaiting = async (tx: Transaction<Tables>, id: string, now: number, state: JobState): Promise<void> => {
    const waiting = await tx.selectFrom("job_waits").select("job").where("needs", "=", id).orderBy("job").execute();
    for (const { job } of waiting) {
      // Read anew: it may also have waited for one that ended just now.
      const row = await getLocked(tx, job);
      await tx.deleteFrom("job_waits").where("job", "=", job).execute();
      if (row.end_time !== null) continue;
      const message = `It waited for job ${id}, which is ${state}`;
      const error = { code: "failed_precondition", reason: "DEPENDENCY_FAILED", message };
      await end(tx, row, now, "FAILED", { error });
    }
  };

  /** What a job is to wait for, without what has succeeded. Their rows stay as they are until the transaction ends. */
  const waitsFor = async (tx: Transaction<Tables>, after: readonly string[]): Promise<readonly string[]> => {
    const waits: string[] = [];
    for (const needs of [...new Set(after)].sort()) {
      const { state } = await getLocked(tx, needs);
      if (state === "FAILED" || state === "CANCELLED") throw new DependencyFailedError(needs, state);
      if (state !== "SUCCEEDED") waits.push(needs);
    }
    return waits;
  };

  const addWaits = async (tx: Transaction<Tables>, job: string, waits: readonly string[]): Promise<void> => {
    if (waits.length > 0)
      await tx
        .insertInto("job_waits")
        .values(waits.map((needs) => ({ job, needs })))
        .execute();
  };

  const shared = { write, get, getLocked, change, addEvents, enter, fenced, end };
  return { ...shared, noteChild, tellParents, waitsFor, addWaits };
}

/** The changes of a row whose attempt has ended. @param until when it ended, or was last known to run */
export function attemptOver({ attempt_time, run_ms }: JobRow, until: number) {
  const ranMs = attempt_time === null ? 0 : Math.max(0, until - attempt_time);
  return { owner: null, lease_until: null, attempt_time: null, run_ms: run_ms + ranMs };
}
