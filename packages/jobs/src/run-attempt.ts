import { isAbort, isRpcFailure } from "@duchenne/rpc";
import { spanContextFromTraceparent, startTelemetry, withSpan } from "@duchenne/rpc/telemetry";
import { type JobError, type JsonObject, openStore } from "@duchenne/store";
import { type AttemptTools, createAttemptTools } from "./attempt-tools.ts";
import type { AttemptJob, AttemptMessage, StartMessage, SupervisorMessage } from "./messages.ts";
import { whileUnavailable } from "./while-unavailable.ts";

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
  // Of this thread, in which the work is done: one that hangs gives none.
  const sign = () => void send({ kind: "alive" });
  sign();
  setInterval(sign, start.signMs).unref();
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
    const store = await whileUnavailable(() => openStore(location), signal);
    const tools = createAttemptTools(job, { store, dataDirectory: location.directory, signal, send });
    // A trace of its own, linked to the call that created the job: the call ended long ago.
    const result = await withSpan("attempt", attributes, () => handler(job, tools), {
      root: true,
      links: created === undefined ? [] : [created],
    });
    await store.close();
    return { kind: "succeeded", result: result as Record<string, never> };
  } catch (error) {
    return isAbort(error, signal) ? { kind: "stopped" } : { kind: "failed", error: jobErrorOf(error) };
  }
}

/** Resolves when the message is on its way: before that, the process must not exit. */
function send(message: AttemptMessage): Promise<void> {
  return new Promise((resolve) => {
    // A closed channel ends the process by "disconnect".
    process.send!(message, undefined, {}, () => resolve());
  });
}

function jobErrorOf(error: unknown): JobError {
  if (isRpcFailure(error)) return { code: error.code, reason: error.reason, message: error.message };
  const { message, stack } = error instanceof Error ? error : { message: String(error), stack: String(error) };
  process.stderr.write(`${stack}\n`);
  return { code: "internal", reason: "UNEXPECTED", message };
}
