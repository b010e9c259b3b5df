import { type AttemptOutcome, type JobError, type JobRecord, LONGEST_RETRY_MS } from "@duchenne/store";
import type { AttemptEnd } from "./attempt-process.ts";

/** Why an attempt was told to stop. */
export type StopReason = "cancel" | "pause" | "timeout" | "interrupt";

const FIRST_BACK_OFF_MS = 1_000;
/** Errors that another attempt would meet as well. */
const PERMANENT = new Set(["invalid_argument", "failed_precondition", "not_found", "already_exists", "data_loss"]);

/**
 * What the end of an attempt's process means for its job; failures that may pass are tried again, later each time. One that
 * stopped because it was asked to has not failed; one that failed while it stopped has, and says how.
 */
export function outcomeOf(end: AttemptEnd, stopping: StopReason | undefined, job: JobRecord): AttemptOutcome {
  if (end.kind === "succeeded") return { state: "SUCCEEDED", result: end.result };
  if (stopping === "timeout") return { state: "FAILED", error: outOfTime(job, end) };
  // Whoever ends a process of ours may end its attempts as well: a crash then is no fault of the job's.
  const isAsAsked =
    end.kind === "stopped" || end.kind === "killed" || (end.kind === "crashed" && stopping === "interrupt");
  if (isAsAsked && stopping === "cancel") return { state: "CANCELLED" };
  if (isAsAsked && stopping === "pause") return { state: "PAUSED" };
  if (isAsAsked && stopping === "interrupt") return { state: "INTERRUPTED" };
  const error = errorOf(end);
  if (end.kind === "failed" && PERMANENT.has(error.code)) return { state: "FAILED", error };
  const retryAfterMs = Math.min(FIRST_BACK_OFF_MS * 4 ** job.failures, LONGEST_RETRY_MS);
  return { state: "FAILED", error, retryAfterMs };
}

function outOfTime({ timeLimitMs }: JobRecord, end: Unfinished): JobError {
  const message = `Expected an end within ${timeLimitMs} ms of running time`;
  const isPlain = end.kind === "stopped" || end.kind === "killed";
  const more = isPlain ? "" : `; while it stopped: ${errorOf(end).message}`;
  return { code: "deadline_exceeded", reason: "TIME_LIMIT_EXCEEDED", message: message + more };
}

type Unfinished = Exclude<AttemptEnd, { kind: "succeeded" }>;

function errorOf(end: Unfinished): JobError {
  if (end.kind === "failed") return end.error;
  if (end.kind === "stalled") return { code: "internal", reason: "ATTEMPT_STALLED", message: end.description };
  const message = end.kind === "crashed" ? end.description : "The attempt ended without being asked";
  return { code: "internal", reason: "ATTEMPT_CRASHED", message };
}
