import type { MessagePort } from "node:worker_threads";
import type { Reply } from "./task.ts";

/** What a task came to, and the memory that is handed over with it. */
export interface Outcome {
  readonly result?: unknown;
  readonly transfer?: readonly ArrayBufferLike[];
}

/** Does one task after the other in a worker thread and replies to each. */
export function answerTasks<T>(port: MessagePort, perform: (task: T) => Promise<Outcome>): void {
  let tail: Promise<void> = Promise.resolve();
  port.on("message", ({ id, task }: { readonly id: number; readonly task: T }) => {
    tail = tail.then(async () => {
      try {
        const { result, transfer = [] } = await perform(task);
        port.postMessage({ id, result } satisfies Reply, transfer as ArrayBuffer[]);
      } catch (error) {
        const { message, stack } = error instanceof Error ? error : new Error(String(error));
        const reason = error instanceof Error && "reason" in error ? String(error.reason) : undefined;
        port.postMessage({ id, error: { message, stack, reason } } satisfies Reply);
      }
    });
  });
}
