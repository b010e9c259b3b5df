import { spanContextFromTraceparent, startTelemetry, withSpan } from "@duchenne/rpc/telemetry";
import { type JobError, type JobEventBody, type JsonObject, openStore, type Store } from "@duchenne/store";
import type { AttemptJob, AttemptMessage, StartMessage, SupervisorMessage } from "./messages.ts";

/** What an attempt works with. */
export interface AttemptTools {
  /** Aborts when the job is to stop: save a checkpoint, then throw the signal's reason. */
  readonly signal: AbortSignal;
  readonly store: Store;
  /** The store's folder of this machine. */
  readonly dataDirectory: string;
  /** Tells of progress, metrics, logs and artifacts. */
  emit(event: JobEventBody): void;
  /** Stores a checkpoint; the next attempt starts from it. */
  saveCheckpoint(step: number, bytes: Uint8Array): Promise<void>;
  /** The checkpoint of an earlier attempt. */
  loadCheckpoint(): Promise<Uint8Array | undefined>;
}

/** Does one kind of job; answers its result. */
export type AttemptHandler = (job: AttemptJob, tools: AttemptTools) => Promise<JsonObject>;

/** The reason of an attempt's signal. */
export class AttemptStoppedError extends Error {
  constructor() {
    super("The attempt was told to stop");
    this.name = "AbortError";
  }
}

/**
 * The whole life of an attempt's process: waits for its job, does it, reports how it ended and exits. The process ends
 * at once when its supervisor is gone.
 *
 *     await runAttempt({ fine_tune: async (job, tools) => { ... return { modelVersion }; } });
 */
export async function runAttempt(handlers: Readonly<Record<string, AttemptHandler>>): Promise<void> {
  if (process.send === undefined) throw new Error("Expected to be started by a supervisor");
  // Nobody would hear of what it does: a later attempt goes on from the last checkpoint.
  process.on("disconnect", () => process.exit(1));
  // A terminal's Ctrl+C reaches the whole group; the supervisor decides.
  process.on("SIGINT", () => {});
  const stop = new AbortController();
  const start = await new Promise<StartMessage>((resolve) => {
    process.on("message", (message: SupervisorMessage) => {
      if (message.kind === "start") resolve(message);
      else stop.abort(new AttemptStoppedError());
    });
  });
  const telemetry = startTelemetry({
    serviceName: "duchenne-attempt",
    version: "0.1.0",
    otlpEndpoint: start.otlpEndpoint,
  });
  const outcome = await attempt(start, handlers, stop.signal);
  await telemetry.shutdown();
  await send(outcome);
  process.exit(0);
}

async function attempt(
  { job, store: location }: StartMessage,
  handlers: Readonly<Record<string, AttemptHandler>>,
  signal: AbortSignal,
): Promise<AttemptMessage> {
  const handler = handlers[job.kind];
  const created = job.traceparent === undefined ? undefined : spanContextFromTraceparent(job.traceparent);
  const attributes = { "duchenne.job.id": job.id, "duchenne.job.kind": job.kind, "duchenne.job.attempt": job.attempt };
  try {
    if (handler === undefined)
      throw new Error(`Expected a job of ${Object.keys(handlers).join(", ")}, got ${job.kind}`);
    const store = await openStore(location);
    const tools = toolsFor(job, store, location.directory, signal);
    // A trace of its own, linked to the call that created the job: the call ended long ago.
    const result = await withSpan("attempt", attributes, () => handler(job, tools), {
      root: true,
      links: created === undefined ? [] : [created],
    });
    await store.close();
    return { kind: "succeeded", result: result as Record<string, never> };
  } catch (error) {
    return signal.aborted ? { kind: "stopped" } : { kind: "failed", error: jobErrorOf(error) };
  }
}

function toolsFor(job: AttemptJob, store: Store, dataDirectory: string, signal: AbortSignal): AttemptTools {
  const checkpoints = store.checkpoints.of(job.id);
  return {
    signal,
    store,
    dataDirectory,
    emit: (event) => void send({ kind: "event", event }),
    async saveCheckpoint(step, bytes) {
      const { digest, sizeBytes } = await checkpoints.put(bytes);
      await send({ kind: "event", event: { kind: "checkpoint", step, digest, sizeBytes } });
    },
    loadCheckpoint: async () => (job.checkpoint === undefined ? undefined : await checkpoints.get(job.checkpoint)),
  };
}

/** Resolves when the message is on its way: before that, the process must not exit. */
function send(message: AttemptMessage): Promise<void> {
  return new Promise((resolve) => {
    // A closed channel ends the process by "disconnect".
    process.send!(message, undefined, {}, () => resolve());
  });
}

function jobErrorOf(error: unknown): JobError {
  if (!(error instanceof Error)) return { code: "internal", reason: "UNEXPECTED", message: String(error) };
  const { code, reason } = error as { code?: unknown; reason?: unknown };
  if (typeof code === "string" && typeof reason === "string") return { code, reason, message: error.message };
  process.stderr.write(`${error.stack}\n`);
  return { code: "internal", reason: "UNEXPECTED", message: error.message };
}
