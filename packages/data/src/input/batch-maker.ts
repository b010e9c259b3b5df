import { type BatchJob, type BatchReport, cancelJob, claimSample, makeSample } from "./batch-job.ts";
import { createSampleWriter, type SampleWriterSettings } from "./sample-writer.ts";

/** A sample that could not be made. */
export type SampleFailure = Extract<BatchReport, { kind: "failed" }>;

/** Makes batches, somewhere. */
export interface BatchMaker {
  /** Begins a batch, after those that were begun before. */
  start(job: BatchJob): void;
  /**
   * Waits for a batch; answers its first sample, by position, that could not be made.
   *
   * @throws the signal's reason when aborted
   */
  finish(job: BatchJob, signal: AbortSignal): Promise<SampleFailure | undefined>;
  /** Gives up a batch: nobody will ask for it. */
  cancel(job: BatchJob): void;
  /** Ends what runs. */
  close(): Promise<void>;
}

/** Makes batches in this thread, when they are waited for. */
export function createInThreadMaker(settings: SampleWriterSettings): BatchMaker {
  const write = createSampleWriter(settings);
  return {
    start: () => {},
    async finish(job, signal) {
      const failures: SampleFailure[] = [];
      for (let position = claimSample(job); position !== undefined; position = claimSample(job)) {
        signal.throwIfAborted();
        await makeSample(write, job, position, (report) => {
          if (report.kind === "failed") failures.push(report);
        });
      }
      return firstFailure(failures);
    },
    cancel: cancelJob,
    close: async () => {},
  };
}

/** The failure with the lowest position: the same one however the samples were shared out. */
export function firstFailure(failures: readonly SampleFailure[]): SampleFailure | undefined {
  return [...failures].sort((a, b) => a.position - b.position)[0];
}
