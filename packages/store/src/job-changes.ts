import type { Transaction } from "kysely";
import type { Database } from "./database.ts";
import { lockReadDataset } from "./datasets.ts";
import { DependencyFailedError, JobEndedError, JobNotFailedError, JobStateError } from "./errors.ts";
import { hasEnded, type JobRecord, type JobState, RUNNING_STATES } from "./job-record.ts";
import type { JobRow, JobTransactions } from "./job-transactions.ts";
import { lockVersion } from "./model-versions.ts";
import type { Tables } from "./schema.ts";

/** What callers ask of jobs that are there; what is asked of one with children is asked of these, too. */
export interface JobChanges {
  /**
   * Asks a job to stop; one that does not run stops here, but for one with children that run: it stops after them.
   *
   * @throws {NotFoundError} @throws {JobEndedError}
   */
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
   * Queues a failed job again, with all its failures and its time allowed anew; it goes on from its last checkpoint that can be read, and
   * waits again for the jobs it was to wait for. Of its children, those that failed are tried again.
   *
   * @throws {NotFoundError} also when a version or a data set that it reads was deleted since
   * @throws {JobNotFailedError} @throws {DatasetReplacedError} when another data set was registered under its id
   * @throws {DependencyFailedError} when a job to wait for has not been tried again, or a child was cancelled
   */
  retry(id: string): Promise<JobRecord>;
}

/** The callers' changes of jobs in a database. */
export function createJobChanges(database: Database, transactions: JobTransactions): JobChanges {
  const { write, get, getLocked, change, enter, end, tellParents, waitsFor, addWaits } = transactions;

  /** The children of a job, locked: what is waited for before what waits. */
  const lockChildren = (tx: Transaction<Tables>, id: string): Promise<JobRow[]> =>
    database.forUpdate(tx.selectFrom("jobs").selectAll().where("parent", "=", id).orderBy("place")).execute();

  /** A change of a job that has not ended, and of its children that have not. */
  const request = (id: string, change: (tx: Transaction<Tables>, family: Family, now: number) => Promise<void>) =>
    write(async (tx, now) => {
      const children = await lockChildren(tx, id);
      const job = await getLocked(tx, id);
      if (hasEnded(job.state as JobState)) throw new JobEndedError(id, job.state);
      await change(tx, { job, children: children.filter(({ state }) => !hasEnded(state as JobState)) }, now);
      await tellParents(tx, now);
      return get(tx, id);
    });

  const cancel = async (tx: Transaction<Tables>, job: JobRow, now: number) => {
    if (job.state === "RUNNING" || job.state === "PAUSING") await enter(tx, job, now, "CANCELLING");
    else if (job.state !== "CANCELLING") await end(tx, job, now, "CANCELLED");
  };

  const pause = async (tx: Transaction<Tables>, job: JobRow, now: number) => {
    if (job.state === "RUNNING") await enter(tx, job, now, "PAUSING");
    else if (job.state === "QUEUED" || job.state === "RETRY_WAIT")
      await enter(tx, job, now, "PAUSED", { retry_at: null });
  };

  const resume = async (tx: Transaction<Tables>, job: JobRow, now: number) => {
    if (job.state === "PAUSED") await enter(tx, job, now, "QUEUED");
    else if (job.state === "PAUSING") await enter(tx, job, now, "RUNNING");
  };

  /** Queues a failed job again. @param more what it waits for beside what it was to wait for */
  const requeue = async (tx: Transaction<Tables>, id: string, now: number, more: readonly string[] = []) => {
    // What it waits for is locked first, as where such a job ends.
    const { state, after } = await get(tx, id);
    if (state !== "FAILED") throw new JobNotFailedError(id, state);
    const waits = await waitsFor(tx, after);
    const job = await getLocked(tx, id);
    if (job.state !== "FAILED") throw new JobNotFailedError(id, job.state);
    await addWaits(tx, id, [...waits, ...more]);
    // Nobody kept its versions and data sets since it failed.
    const read = await tx.selectFrom("job_versions").select(["model", "version"]).where("job", "=", id).execute();
    for (const { model, version } of read) await lockVersion(database, tx, model, String(version));
    const sets = await tx.selectFrom("job_datasets").select(["dataset", "digest"]).where("job", "=", id).execute();
    for (const { dataset, digest } of sets) {
      await lockReadDataset(database, tx, { id: dataset, digest: digest ?? undefined });
    }
    await change(tx, id, { error: null });
    await enter(tx, job, now, "QUEUED", { failures: 0, run_ms: 0, end_time: null });
    return job;
  };

  return {
    requestCancel: (id) =>
      request(id, async (tx, { job, children }, now) => {
        // Those that wait first: they are cancelled as well, and do not fail with what they waited for.
        for (const child of children.toReversed()) await cancel(tx, child, now);
        await tellParents(tx, now);
        const told = await getLocked(tx, id);
        if (hasEnded(told.state as JobState)) return;
        const isWaiting = children.some(({ state }) => RUNNING_STATES.includes(state as JobState));
        if (!isWaiting) await cancel(tx, told, now);
        else if (job.state !== "CANCELLING") await enter(tx, told, now, "CANCELLING", { retry_at: null });
      }),

    requestPause: (id) =>
      request(id, async (tx, { job, children }, now) => {
        if (job.state === "CANCELLING") throw new JobStateError(id, "can be paused", job.state);
        for (const child of children) await pause(tx, child, now);
        await pause(tx, job, now);
      }),

    requestResume: (id) =>
      request(id, async (tx, { job, children }, now) => {
        if (job.state === "CANCELLING") throw new JobStateError(id, "can be resumed", job.state);
        for (const child of children) await resume(tx, child, now);
        await resume(tx, job, now);
      }),

    retry: (id) =>
      write(async (tx, now) => {
        const { state } = await get(tx, id);
        if (state !== "FAILED") throw new JobNotFailedError(id, state);
        const children = await tx.selectFrom("jobs").select("id").where("parent", "=", id).orderBy("place").execute();
        const open: string[] = [];
        for (const child of children) {
          let { state } = await get(tx, child.id);
          // One that has not failed must not end before it is waited for.
          if (state !== "FAILED") state = (await getLocked(tx, child.id)).state as JobState;
          if (state === "CANCELLED") throw new DependencyFailedError(child.id, state);
          if (state === "FAILED") await requeue(tx, child.id, now);
          if (state !== "SUCCEEDED") open.push(child.id);
        }
        const { parent } = await requeue(tx, id, now, open);
        if (parent !== null) {
          // One that has not started waits for it again.
          const waiting = await getLocked(tx, parent);
          if (["QUEUED", "PAUSED"].includes(waiting.state)) await addWaits(tx, parent, [id]);
        }
        await tellParents(tx, now);
        return get(tx, id);
      }),
  };
}

/** A job that has not ended, and its children that have not. */
interface Family {
  readonly job: JobRow;
  readonly children: readonly JobRow[];
}
