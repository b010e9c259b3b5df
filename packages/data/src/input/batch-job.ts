import { type SampleSource, UnreadableImageError } from "./sample-source.ts";
import type { SampleWriter } from "./sample-writer.ts";

/** A batch to be made, as the threads see it. */
export interface BatchJob {
  readonly id: number;
  readonly epoch: number;
  readonly samples: readonly (SampleSource & { readonly index: number })[];
  /** Float32 [B, 3, S, S]. */
  readonly pixels: SharedArrayBuffer;
  /** Int32: how far the batch is. */
  readonly progress: SharedArrayBuffer;
}

/** What a thread says of a batch. */
export type BatchReport =
  | { readonly kind: "finished"; readonly id: number }
  | {
      readonly kind: "failed";
      readonly id: number;
      /** In the batch. */
      readonly position: number;
      /** What went wrong with an image; undefined: the error is a fault of ours. */
      readonly unreadable: string | undefined;
      readonly message: string;
    };

// Positions in a job's progress. Samples are claimed one by one, so that no thread waits for a slower one.
const NEXT = 0;
const REMAINING = 1;
const FAILED = 2;

/** A job's progress before anything was done. */
export function createProgress(count: number): SharedArrayBuffer {
  const progress = new SharedArrayBuffer(3 * 4);
  new Int32Array(progress)[REMAINING] = count;
  return progress;
}

/** Takes a position of the batch that no other thread takes; undefined when none is left. */
export function claimSample({ samples, progress }: BatchJob): number | undefined {
  const position = Atomics.add(new Int32Array(progress), NEXT, 1);
  return position < samples.length ? position : undefined;
}

/** Lets nobody claim what is left. What was claimed is still made. */
export function cancelJob({ samples, progress }: BatchJob): void {
  Atomics.store(new Int32Array(progress), NEXT, samples.length);
}

/** Whether every sample was made or has failed, and how many failed. */
export function jobState({ progress }: BatchJob): { readonly finished: boolean; readonly failed: number } {
  const state = new Int32Array(progress);
  return { finished: Atomics.load(state, REMAINING) === 0, failed: Atomics.load(state, FAILED) };
}

/** Makes one claimed sample and reports a failure, and the end of the batch. */
export async function makeSample(
  write: SampleWriter,
  job: BatchJob,
  position: number,
  report: (message: BatchReport) => void,
): Promise<void> {
  const state = new Int32Array(job.progress);
  try {
    await write(job, position);
  } catch (error) {
    Atomics.add(state, FAILED, 1);
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    const cause = error instanceof UnreadableImageError ? error.cause : undefined;
    report({
      kind: "failed",
      id: job.id,
      position,
      unreadable: cause === undefined ? undefined : cause instanceof Error ? cause.message : String(cause),
      message: stack ?? message,
    });
  }
  if (Atomics.sub(state, REMAINING, 1) === 1) report({ kind: "finished", id: job.id });
}
