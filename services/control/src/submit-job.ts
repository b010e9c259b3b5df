import type { MessageInitShape } from "@bufbuild/protobuf";
import { type JobSchema, JobState } from "@duchenne/proto";
import { traceparentOf } from "@duchenne/rpc/telemetry";
import type { NewJob, Store } from "@duchenne/store";
import { jobMessage, structFrom } from "./convert.ts";

/** What requests that start a job have in common. */
export interface JobRequest {
  /** Empty: every request is a new job. */
  readonly requestId: string;
  /** Answers the job as it would be made, without a name, and makes none. */
  readonly validateOnly?: boolean;
}

/** Makes the job that a checked request asks for, in the trace of the call. @throws {AlreadyExistsError} */
export async function submitJob(
  store: Store,
  { requestId, validateOnly = false }: JobRequest,
  job: Omit<NewJob, "requestId" | "traceparent">,
): Promise<MessageInitShape<typeof JobSchema>> {
  if (validateOnly) {
    const { kind, spec, displayName = "" } = job;
    return { kind, spec: structFrom(spec), displayName, state: JobState.QUEUED };
  }
  const made = await store.jobs.create({
    ...job,
    ...(requestId === "" ? {} : { requestId }),
    traceparent: traceparentOf(),
  });
  return jobMessage(made.job);
}
