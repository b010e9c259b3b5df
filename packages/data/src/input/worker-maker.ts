import { Worker } from "node:worker_threads";
import { type BatchJob, type BatchReport, cancelJob, jobState } from "./batch-job.ts";
import { type BatchMaker, firstFailure, type SampleFailure } from "./batch-maker.ts";
import type { SampleWriterSettings } from "./sample-writer.ts";

/**
 * Makes batches in threads. All are told of each batch when it starts and share its samples out among themselves, so
 * they keep working while this thread is busy with a training step.
 */
export function createWorkerMaker(count: number, settings: SampleWriterSettings): BatchMaker {
  /** Of each batch that somebody will ask for, what failed. */
  const failures = new Map<number, SampleFailure[]>();
  /** Called when a report came in, or a thread has gone. */
  const waiting = new Set<() => void>();
  let closed = false;
  let broken: Error | undefined;

  const workers = Array.from({ length: count }, () => {
    const worker = new Worker(new URL("./input-worker.ts", import.meta.url), { workerData: settings });
    let cause: unknown;
    worker.on("message", (report: BatchReport) => {
      if (report.kind === "failed") failures.get(report.id)?.push(report);
      for (const wake of waiting) wake();
    });
    worker.on("error", (error) => {
      cause = error;
    });
    worker.on("exit", (code) => {
      if (!closed) broken ??= new Error(`An input thread ended with code ${code}`, { cause });
      for (const wake of waiting) wake();
    });
    return { worker, gone: new Promise((resolve) => worker.once("exit", resolve)) };
  });

  return {
    start(job: BatchJob) {
      failures.set(job.id, []);
      for (const { worker } of workers) worker.postMessage(job);
    },
    cancel(job) {
      failures.delete(job.id);
      cancelJob(job);
    },
    async finish(job, signal) {
      for (;;) {
        signal.throwIfAborted();
        if (broken !== undefined) throw broken;
        // The shared state may be ahead of the messages, of which each failure is one.
        const { finished, failed } = jobState(job);
        const told = failures.get(job.id) ?? [];
        if (finished && told.length === failed) {
          failures.delete(job.id);
          return firstFailure(told);
        }
        await new Promise<void>((resolve) => {
          const wake = () => {
            waiting.delete(wake);
            signal.removeEventListener("abort", wake);
            resolve();
          };
          waiting.add(wake);
          signal.addEventListener("abort", wake, { once: true });
        });
      }
    },
    async close() {
      closed = true;
      for (const { worker } of workers) worker.postMessage("close");
      await Promise.all(workers.map(({ gone }) => gone));
    },
  };
}
