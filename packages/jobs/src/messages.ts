import { type JobCheckpoint, type JsonObject, jobEventBodySchema, type StoreLocation } from "@duchenne/store";
import { z } from "zod";

/** What an attempt is started with. */
export interface StartMessage {
  readonly kind: "start";
  readonly job: AttemptJob;
  readonly store: StoreLocation;
  readonly otlpEndpoint: string | undefined;
  /** How often it is to give a sign of life. */
  readonly signMs: number;
}

/** The job that an attempt works on. */
export interface AttemptJob {
  readonly id: string;
  readonly kind: string;
  readonly attempt: number;
  readonly spec: JsonObject;
  /** What earlier attempts left to go on from, newest first. */
  readonly checkpoints: readonly JobCheckpoint[];
  /** The call that created the job. */
  readonly traceparent?: string | undefined;
}

/** What a supervisor tells an attempt. */
export type SupervisorMessage = StartMessage | { readonly kind: "stop" };

/** What an attempt tells its supervisor. Checked: another process wrote it. */
export const attemptMessageSchema = z.discriminatedUnion("kind", [
  /** A sign of life: its main thread works on. */
  z.object({ kind: z.literal("alive") }),
  z.object({ kind: z.literal("event"), event: jobEventBodySchema }),
  z.object({ kind: z.literal("succeeded"), result: z.record(z.string(), z.json()) }),
  z.object({ kind: z.literal("stopped") }),
  z.object({
    kind: z.literal("failed"),
    error: z.object({ code: z.string(), reason: z.string(), message: z.string() }),
  }),
]);
/** What an attempt tells its supervisor. */
export type AttemptMessage = z.output<typeof attemptMessageSchema>;
