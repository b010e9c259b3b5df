import { Worker } from "node:worker_threads";
import type {
  BootstrapOptions,
  ExpressionComparison,
  ExpressionScores,
  FrameScores,
  ScoreComparison,
} from "@duchenne/evaluation";

/** What the frames of two evaluations scored that `requireComparable` has found to be comparable. */
export type ComparisonTask = (
  | { readonly answers: "action_units"; readonly before: FrameScores; readonly after: FrameScores }
  | { readonly answers: "expressions"; readonly before: ExpressionScores; readonly after: ExpressionScores }
) & { readonly options: BootstrapOptions };

/** What a comparison found, of detectors or of classifiers. */
export type FoundComparison = ScoreComparison | ExpressionComparison;

/** Compares in a worker thread. Aborting ends it at once, with the signal's reason. */
export type Comparer = (task: ComparisonTask, signal: AbortSignal) => Promise<FoundComparison>;

/** Makes a comparer that does one comparison at a time: others wait, so that callers cannot take every core. */
export function createComparer(): Comparer {
  let last: Promise<unknown> = Promise.resolve();
  return (task, signal) => {
    const mine = last.then(() => compare(task, signal));
    last = mine.catch(() => {});
    return mine;
  };
}

async function compare(task: ComparisonTask, signal: AbortSignal): Promise<FoundComparison> {
  signal.throwIfAborted();
  const worker = new Worker(new URL("./compare-worker.ts", import.meta.url), { workerData: task });
  const settled = Promise.withResolvers<FoundComparison>();
  worker.once("message", settled.resolve);
  worker.once("error", settled.reject);
  worker.once("exit", (code) => settled.reject(new Error(`The comparison ended with ${code} and without an answer`)));
  const onAbort = (): void => settled.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await settled.promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
    await worker.terminate();
  }
}
