import type { Selectable } from "kysely";
import { z } from "zod";
import { checkpointsOf, type JobCheckpoint } from "./job-checkpoints.ts";
import type { JsonObject } from "./json.ts";
import type { Tables } from "./schema.ts";

/** The states of a job. */
export const JOB_STATES = [
  "QUEUED",
  "RUNNING",
  "PAUSING",
  "PAUSED",
  "CANCELLING",
  "CANCELLED",
  "RETRY_WAIT",
  "SUCCEEDED",
  "FAILED",
] as const;
/** The state of a job. */
export type JobState = (typeof JOB_STATES)[number];

/** Why a job or an attempt failed. */
export const jobErrorSchema = z.object({
  /** A canonical code in lower case. */
  code: z.string(),
  /** What happened, for programs. */
  reason: z.string(),
  /** What happened, for people. */
  message: z.string(),
});
/** Why a job or an attempt failed. */
export type JobError = z.output<typeof jobErrorSchema>;

/** What an event says, without its number and time. */
export const jobEventBodySchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("state"), state: z.enum(JOB_STATES), error: jobErrorSchema.optional() }),
  z.object({
    kind: z.literal("progress"),
    /** Done share, 0..1. */
    fraction: z.number().min(0).max(1),
    etaMs: z.number().min(0).optional(),
    step: z.number().int().min(0),
    totalSteps: z.number().int().min(0),
    epoch: z.number().min(0),
    phase: z.string(),
    imagesPerSecond: z.number().min(0).optional(),
    inputWaitShare: z.number().min(0).max(1).optional(),
  }),
  z.object({
    kind: z.literal("metrics"),
    step: z.number().int().min(0),
    epoch: z.number().min(0),
    values: z.record(z.string(), z.number()),
  }),
  z.object({
    kind: z.literal("checkpoint"),
    step: z.number().int().min(0),
    digest: z.string(),
    sizeBytes: z.number().int().min(0),
  }),
  z.object({ kind: z.literal("log"), level: z.enum(["info", "warn", "error"]), text: z.string() }),
  z.object({ kind: z.literal("artifact"), name: z.string(), artifactKind: z.string() }),
  z.object({
    kind: z.literal("child"),
    /** The id of the child that changed its state. */
    job: z.string(),
    displayName: z.string(),
    state: z.enum(JOB_STATES),
    error: jobErrorSchema.optional(),
  }),
]);
/** What an event says, without its number and time. */
export type JobEventBody = z.output<typeof jobEventBodySchema>;

/** A stored event; numbers start at 1 and have no gap within a job. */
export type JobEvent = JobEventBody & {
  readonly number: number;
  readonly attempt: number;
  readonly timeMs: number;
};

/** A job as stored. Times are milliseconds since the epoch. */
export interface JobRecord {
  readonly id: string;
  readonly kind: string;
  readonly state: JobState;
  /** The number of the current or last attempt, 0 before the first; the fencing token of its writes. */
  readonly attempt: number;
  /** Attempts that failed by themselves; those that ended with their server do not count. */
  readonly failures: number;
  readonly maxFailures: number;
  readonly progress: number;
  readonly etaMs?: number;
  readonly createTimeMs: number;
  readonly startTimeMs?: number;
  readonly endTimeMs?: number;
  readonly spec: JsonObject;
  readonly result?: JsonObject;
  readonly error?: JobError;
  /** The number of the last event. */
  readonly lastEvent: number;
  readonly displayName: string;
  readonly requestId?: string;
  /** The call that created it. */
  readonly traceparent?: string;
  /** The newest. */
  readonly checkpoint?: JobCheckpoint;
  /** The one before: what is gone on from when the newest is damaged. */
  readonly previousCheckpoint?: JobCheckpoint;
  /** Jobs of a higher priority run first. */
  readonly priority: number;
  /** How long its attempts may run, all together; pauses and waits do not count. */
  readonly timeLimitMs?: number;
  /** How long the attempts ran that have ended. */
  readonly runMs: number;
  /** The jobs that had to succeed before it could start. */
  readonly after: readonly string[];
  /** What it takes of its machine while it runs, such as { gpu: 1 }. */
  readonly resources: Readonly<Record<string, number>>;
  /** The job that it is a part of. */
  readonly parent?: string;
}

/** States in which an attempt may write. */
export const RUNNING_STATES: readonly JobState[] = ["RUNNING", "PAUSING", "CANCELLING"];

/** True when a job does not change any more by itself. */
export function hasEnded(state: JobState): boolean {
  return state === "SUCCEEDED" || state === "FAILED" || state === "CANCELLED";
}

/** True when nobody goes on from a job's checkpoint any more: a failed job may be tried again. */
export function isOver(state: JobState): boolean {
  return hasEnded(state) && state !== "FAILED";
}

/** Reads a row. */
export function jobFromRow(row: Selectable<Tables["jobs"]>): JobRecord {
  const [checkpoint, previousCheckpoint] = checkpointsOf(row);
  return {
    id: row.id,
    kind: row.kind,
    state: row.state as JobState,
    attempt: row.attempt,
    failures: row.failures,
    maxFailures: row.max_failures,
    progress: row.progress,
    createTimeMs: row.create_time,
    spec: JSON.parse(row.spec),
    lastEvent: row.last_event,
    displayName: row.display_name,
    ...(row.eta_ms === null ? {} : { etaMs: row.eta_ms }),
    ...(row.start_time === null ? {} : { startTimeMs: row.start_time }),
    ...(row.end_time === null ? {} : { endTimeMs: row.end_time }),
    ...(row.result === null ? {} : { result: JSON.parse(row.result) }),
    ...(row.error === null ? {} : { error: JSON.parse(row.error) }),
    ...(row.request_id === null ? {} : { requestId: row.request_id }),
    ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
    ...(checkpoint && { checkpoint }),
    ...(previousCheckpoint && { previousCheckpoint }),
    priority: row.priority,
    ...(row.time_limit_ms === null ? {} : { timeLimitMs: row.time_limit_ms }),
    runMs: row.run_ms,
    after: JSON.parse(row.run_after),
    resources: JSON.parse(row.resources),
    ...(row.parent === null ? {} : { parent: row.parent }),
  };
}
