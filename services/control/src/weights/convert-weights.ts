import { Worker } from "node:worker_threads";
import type { Conversion, ConversionError, ConversionReply, ConversionTask } from "./conversion.ts";

/** Thrown when a file of weights cannot become a version; code, reason and violations are those of @duchenne/model. */
export class WeightConversionError extends Error {
  readonly code: string | undefined;
  readonly reason: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly { readonly field: string; readonly description: string }[];

  constructor({ name, message, stack, code, reason, metadata = {}, violations = [] }: ConversionError) {
    super(message);
    this.name = name;
    if (stack !== undefined) this.stack = stack;
    this.code = code;
    this.reason = reason;
    this.metadata = metadata;
    this.violations = violations;
  }
}

/**
 * Converts files of weights in a worker thread, one at a time: a large model takes several times its size in memory.
 * Aborting ends a conversion at once.
 */
export function createConverter(): (task: ConversionTask, signal: AbortSignal) => Promise<Conversion> {
  let last: Promise<unknown> = Promise.resolve();
  return (task, signal) => {
    const mine = last.then(() => convert(task, signal));
    last = mine.catch(() => {});
    return mine;
  };
}

/** @throws {WeightConversionError} @throws the signal's reason */
async function convert(task: ConversionTask, signal: AbortSignal): Promise<Conversion> {
  signal.throwIfAborted();
  const worker = new Worker(new URL("./conversion-worker.ts", import.meta.url), { workerData: task });
  const settled = Promise.withResolvers<ConversionReply>();
  worker.once("message", settled.resolve);
  worker.once("error", settled.reject);
  worker.once("exit", (code) => settled.reject(new Error(`The conversion ended with ${code} and without an answer`)));
  const onAbort = (): void => settled.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const reply = await settled.promise;
    if ("error" in reply) throw new WeightConversionError(reply.error);
    return reply.result;
  } finally {
    signal.removeEventListener("abort", onAbort);
    await worker.terminate();
  }
}
