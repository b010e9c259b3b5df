import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { type JobOptions, type JobSchema, JobState } from "@duchenne/proto";
import { traceparentOf } from "@duchenne/rpc/telemetry";
import type { NewJob, Store } from "@duchenne/store";
import { jobMessage, structFrom } from "./convert.ts";
import { exactDurationMs } from "./duration.ts";
import { jobName, parseJobName } from "./resource-name.ts";

/** What requests that start a job have in common. */
export interface JobRequest {
  /** Empty: every request is a new job. */
  readonly requestId: string;
  /** Answers the job as it would be made, without a name, and makes none. */
  readonly validateOnly?: boolean;
  readonly jobOptions?: JobOptions | undefined;
}

/**
 * Makes the job that a checked request asks for, in the trace of the call.
 *
 * @throws {AlreadyExistsError} @throws {NotFoundError} @throws {DependencyFailedError}
 */
export async function submitJob(
  store: Store,
  { requestId, validateOnly = false, jobOptions }: JobRequest,
  asked: Omit<NewJob, "requestId" | "traceparent">,
): Promise<MessageInitShape<typeof JobSchema>> {
  const traceparent = traceparentOf();
  const options: Partial<NewJob> = jobOptions === undefined ? {} : newJobOptions(jobOptions);
  const job: NewJob = {
    ...asked,
    ...(asked.children && { children: asked.children.map((child) => ({ ...child, traceparent })) }),
    ...options,
    after: [...new Set([...(asked.after ?? []), ...(options.after ?? [])])],
    ...(requestId === "" ? {} : { requestId }),
    traceparent,
  };
  if (!validateOnly) return jobMessage((await store.jobs.create(job)).job);
  await store.jobs.check(job);
  const { kind, spec, displayName = "", priority = 0, timeLimitMs, after = [], resources = {} } = job;
  const how = {
    priority,
    after: after.map(jobName),
    resources: { ...resources },
    ...(timeLimitMs !== undefined && { timeLimit: durationFromMs(timeLimitMs) }),
  };
  return { kind, spec: structFrom(spec), displayName, state: JobState.QUEUED, ...how };
}

/** How a job is run, as the store has it. @throws {ResourceNameError} */
export function newJobOptions({
  priority,
  timeLimit,
  after,
  resources,
}: JobOptions): Pick<NewJob, "priority" | "timeLimitMs" | "after" | "resources"> {
  return {
    priority,
    ...(timeLimit !== undefined && { timeLimitMs: Math.ceil(exactDurationMs(timeLimit)) }),
    after: after.map((name, i) => parseJobName(name, `job_options.after[${i}]`)),
    resources,
  };
}
