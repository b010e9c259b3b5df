import type { AttemptOutcome, JobError, JobRecord } from "@duchenne/store";
import type { AttemptEnd } from "./attempt-process.ts";

/** Why an attempt was told to stop. */
export type StopReason = "cancel" | "pause" | "timeout" | "interrupt";

const FIRST_BACK_OFF_MS = 1_000;
const LONGEST_BACK_OFF_MS = 60_000;
/** Errors that another attempt would meet as well. */
const PERMANENT = new Set(["invalid_argument", "failed_precondition", "not_found", "already_exists", "data_loss"]);

/** What the end of an attempt's process means for its job; failures that may pass are tried again, later each time. */
export function outcomeOf(end: AttemptEnd, stopping: StopReason | undefined, job: JobRecord): AttemptOutcome {
  if (end.kind === "succeeded") return { state: "SUCCEEDED", result: end.result };
  if (stopping === "cancel") return { state: "CANCELLED" };
  if (stopping === "pause") return { state: "PAUSED" };
  if (stopping === "interrupt") return { state: "INTERRUPTED" };
  if (stopping === "timeout") {
    const message = `Expected an end within ${job.timeLimitMs} ms of running time`;
    return { state: "FAILED", error: { code: "deadline_exceeded", reason: "TIME_LIMIT_EXCEEDED", message } };
  }
  if (end.kind === "failed" && PERMANENT.has(end.error.code)) return { state: "FAILED", error: end.error };
  const retryAfterMs = Math.min(FIRST_BACK_OFF_MS * 4 ** job.failures, LONGEST_BACK_OFF_MS);
  return { state: "FAILED", error: errorOf(end), retryAfterMs };
}

function errorOf(end: Exclude<AttemptEnd, { kind: "succeeded" }>): JobError {
  if (end.kind === "failed") return end.error;
  const message = end.kind === "crashed" ? end.description : "The attempt stopped without being asked";
  return { code: "internal", reason: "ATTEMPT_CRASHED", message };
}
