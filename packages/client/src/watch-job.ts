import { setTimeout as sleep } from "node:timers/promises";
import { ConnectError } from "@connectrpc/connect";
import { type Job, type JobEvent, JobState, JobStateSchema } from "@duchenne/proto";
import { AWAY } from "./away.ts";
import type { DuchenneClient } from "./duchenne-client.ts";

/** How a job is watched. */
export interface WatchOptions {
  /** Answers events with greater numbers only. */
  readonly afterEvent?: bigint;
  readonly signal?: AbortSignal;
  /** How long a server may be away before the watch fails; default 60 s. */
  readonly reconnectMs?: number;
}

/**
 * Watches a job to its end, over restarts of the server: every event once, in order, without a gap.
 *
 *     for await (const { event } of watchJob(client, job.name)) {
 *       if (event.case === "progress") console.log(event.value.fraction);
 *     }
 */
export async function* watchJob(
  { jobs }: DuchenneClient,
  name: string,
  { afterEvent = 0n, signal, reconnectMs = 60_000 }: WatchOptions = {},
): AsyncGenerator<JobEvent, void, undefined> {
  let after = afterEvent;
  // Not the time of day, which can jump.
  let lastHeardMs = performance.now();
  for (let waitMs = 100; ; waitMs = Math.min(2 * waitMs, 2_000)) {
    try {
      for await (const { event } of jobs.watchJob({ name, afterEvent: after }, signal ? { signal } : {})) {
        if (event === undefined) continue;
        after = event.number;
        lastHeardMs = performance.now();
        waitMs = 100;
        yield event;
      }
      return;
    } catch (error) {
      signal?.throwIfAborted();
      const { code } = ConnectError.from(error);
      if (!AWAY.includes(code) || performance.now() - lastHeardMs > reconnectMs) throw error;
      await sleep(waitMs, undefined, signal ? { signal } : {});
    }
  }
}

/** A state's name, such as "RUNNING". */
export function jobStateName(state: JobState): string {
  return JobStateSchema.value[state]?.localName ?? String(state);
}

/** Thrown when a job that was waited for did not succeed. */
export class JobNotSucceededError extends Error {
  readonly job: Job;

  constructor(job: Job) {
    const reason = job.error === undefined ? "" : `: ${job.error.message}`;
    super(`${job.name} ended as ${jobStateName(job.state)}${reason}`);
    this.name = "JobNotSucceededError";
    this.job = job;
  }
}

/**
 * Waits for a job's end.
 *
 * @param onEvent is told of what happens until then
 * @throws {JobNotSucceededError} when it failed or was cancelled
 */
export async function waitForJob(
  client: DuchenneClient,
  name: string,
  { onEvent, ...options }: WatchOptions & { readonly onEvent?: (event: JobEvent) => void } = {},
): Promise<Job> {
  for await (const event of watchJob(client, name, options)) onEvent?.(event);
  const job = await client.jobs.getJob({ name });
  if (job.state !== JobState.SUCCEEDED) throw new JobNotSucceededError(job);
  return job;
}
