import type { DescMethod, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { JobOptions, JobSchema } from "@duchenne/proto";
import { traceparentOf } from "@duchenne/rpc/telemetry";
import type { NewJob, Store } from "@duchenne/store";
import { jobMessage, plannedJobMessage } from "./convert.ts";
import { exactDurationMs } from "./duration.ts";
import { requestDigest } from "./request-digest.ts";
import { parseJobName } from "./resource-name.ts";

/** What requests that start a job have in common. */
export interface JobRequest {
  /** Empty: every request is a new job. */
  readonly requestId: string;
  /** Answers the job as it would be made, without a name, and makes none. */
  readonly validateOnly?: boolean;
  readonly jobOptions?: JobOptions | undefined;
}

/** What a checked request asks for. */
type AskedJob = Omit<NewJob, "requestId" | "requestDigest" | "traceparent">;

/**
 * Makes the job that a request asks for, in the trace of the call. A request that made one before is not checked again: what it
 * names may be another or gone since, and it answers the same job.
 *
 * @param plan checks the request against what it names, and answers the job
 * @param ownOptions how the job itself is run, when the options of the request are those of its children
 * @throws {AlreadyExistsError} @throws {NotFoundError} @throws {DependencyFailedError} @throws what `plan` does
 */
export async function submitJob<M extends DescMethod>(
  store: Store,
  method: M,
  request: MessageShape<M["input"]> & JobRequest,
  plan: () => Promise<AskedJob>,
  ownOptions: JobOptions | undefined = request.jobOptions,
): Promise<MessageInitShape<typeof JobSchema>> {
  const { requestId, validateOnly = false } = request;
  const identity = requestId === "" ? {} : { requestId, requestDigest: requestDigest(method, request) };
  const made = identity.requestId === undefined ? undefined : await store.jobs.requested(identity);
  if (made !== undefined) return validateOnly ? plannedJobMessage(made) : jobMessage(made);
  const asked = await plan();
  const traceparent = traceparentOf();
  const options: Partial<NewJob> = ownOptions === undefined ? {} : newJobOptions(ownOptions);
  const job: NewJob = {
    ...asked,
    ...(asked.children && { children: asked.children.map((child) => ({ ...child, traceparent })) }),
    ...options,
    after: [...new Set([...(asked.after ?? []), ...(options.after ?? [])])],
    ...identity,
    traceparent,
  };
  if (!validateOnly) return jobMessage((await store.jobs.create(job)).job);
  await store.jobs.check(job);
  return plannedJobMessage(job);
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
