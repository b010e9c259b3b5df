import { createHash } from "node:crypto";
import { clone, type DescMethod, type JsonObject, type MessageShape, toJson } from "@bufbuild/protobuf";
import { canonicalJson } from "@duchenne/store";
import { type JobRequest, newJobOptions } from "./submit-job.ts";

/**
 * The sha256 of a request for a job as it was sent, before anything that it names is looked up: what an alias stands for, or
 * whether a version is there, may change before the request is repeated. Without its id, and without what says nothing of the
 * job: `validate_only` and its name for people. What is not said and what is said to be the default are the same in the options
 * of the job, and so are orders of what it waits for.
 */
export function requestDigest<M extends DescMethod>(
  method: M,
  request: MessageShape<M["input"]> & Pick<JobRequest, "jobOptions">,
): string {
  const asked = Object.assign(clone(method.input, request), { jobOptions: undefined });
  const {
    requestId: _id,
    validateOnly: _only,
    displayName: _name,
    ...rest
  } = toJson(method.input, asked) as JsonObject;
  const {
    priority = 0,
    timeLimitMs,
    after = [],
    resources = {},
  } = request.jobOptions === undefined ? {} : newJobOptions(request.jobOptions);
  const options = { priority, timeLimitMs, after: after.toSorted(), resources };
  const text = canonicalJson({ method: `${method.parent.typeName}/${method.name}`, request: rest, options });
  return createHash("sha256").update(text).digest("hex");
}
