import { availableParallelism } from "node:os";
import type { Augmentation } from "../augment/augmentation.ts";
import type { Dataset } from "../dataset.ts";
import { type BatchJob, createProgress } from "./batch-job.ts";
import { type BatchMaker, createInThreadMaker } from "./batch-maker.ts";
import { createFrameCacheMemory } from "./frame-cache.ts";
import { sampleLocation } from "./sample-location.ts";
import { UnreadableImageError } from "./sample-source.ts";
import { createWorkerMaker } from "./worker-maker.ts";

/** Which samples to load together. */
export interface PlannedBatch {
  /** Names the random numbers of the augmentation, with the seed and each sample's index. */
  readonly epoch: number;
  /** Of the data set's samples. */
  readonly indices: Uint32Array;
}

/** A batch, ready for a model. */
export interface Batch extends PlannedBatch {
  /** [B, 3, S, S], normalised. */
  readonly images: Float32Array;
}

/** How a `BatchLoader` reads. */
export interface BatchLoaderOptions {
  /** Side of the model's input, in pixels. */
  readonly imageSize: number;
  readonly augmentation: Augmentation;
  readonly seed: number;
  /** Threads; 0 works in the calling one, only while a batch is waited for. Default: one per core but one, 1 to 8. */
  readonly workers?: number;
  /** Batches that are made ahead of the one in use. Default 2. */
  readonly prefetch?: number;
  /** Decoded images are kept until they fill this many bytes; 0 keeps none. Default 512 MiB. */
  readonly cacheBytes?: number;
}

/** Loads batches of a data set in worker threads. */
export interface BatchLoader {
  /**
   * The planned batches in their order, made ahead. The plan is asked for a batch only when there is room to make it.
   * A batch's `images` are memory that is used again: they hold until the next batch is asked for. Several plans can be
   * under way at once. Leaving the loop early stops what was made ahead.
   *
   * @throws {UnreadableImageError} naming file and line, when the turn of a batch comes whose image cannot be read
   * @throws {RangeError} when the plan names a sample that the data set lacks
   * @throws {BatchLoaderClosedError} when the loader is closed, before or while waiting
   * @throws the signal's reason when aborted
   */
  batches(
    plan: Iterable<PlannedBatch>,
    options?: { readonly signal?: AbortSignal },
  ): AsyncGenerator<Batch, void, undefined>;
  /** One batch, whose `images` are the caller's own. Throws as `batches` does. */
  load(indices: Uint32Array, epoch: number, options?: { readonly signal?: AbortSignal }): Promise<Batch>;
  /** Milliseconds that were spent waiting for batches since the loader was made. */
  waitMs(): number;
  /** Ends the threads. What is being waited for is rejected. */
  close(): Promise<void>;
}

/** Thrown when a closed loader is asked for a batch. */
export class BatchLoaderClosedError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "BATCH_LOADER_CLOSED";

  constructor() {
    super("The batch loader was closed");
    this.name = "BatchLoaderClosedError";
  }
}

interface StartedBatch {
  readonly planned: PlannedBatch;
  readonly job: BatchJob;
}

/** Makes a loader; its threads start at once. What it yields depends on no option but size, augmentation and seed. */
export function createBatchLoader(
  dataset: Pick<Dataset, "samples"> & Partial<Pick<Dataset, "directory">>,
  {
    imageSize,
    augmentation,
    seed,
    workers = Math.min(Math.max(availableParallelism() - 1, 1), 8),
    prefetch = 2,
    cacheBytes = 512 * 2 ** 20,
  }: BatchLoaderOptions,
): BatchLoader {
  const { samples } = dataset;
  const bytesPerImage = 3 * imageSize * imageSize * Float32Array.BYTES_PER_ELEMENT;
  const settings = { imageSize, augmentation, seed, cache: createFrameCacheMemory(samples.length, cacheBytes) };
  const maker: BatchMaker = workers === 0 ? createInThreadMaker(settings) : createWorkerMaker(workers, settings);
  const closing = new AbortController();
  let lastId = 0;
  let waited = 0;

  function start(planned: PlannedBatch, memory: SharedArrayBuffer | undefined): StartedBatch {
    const bytes = planned.indices.length * bytesPerImage;
    const job: BatchJob = {
      id: ++lastId,
      epoch: planned.epoch,
      samples: Array.from(planned.indices, (index) => {
        const sample = samples[index];
        if (sample === undefined) throw new RangeError(`Expected a sample of 0..${samples.length - 1}, got ${index}`);
        const { imagePath, box } = sample;
        return { index, imagePath, ...(box === undefined ? {} : { box }) };
      }),
      pixels: memory !== undefined && memory.byteLength >= bytes ? memory : new SharedArrayBuffer(bytes),
      progress: createProgress(planned.indices.length),
    };
    maker.start(job);
    return { planned, job };
  }

  async function finish({ planned, job }: StartedBatch, signal: AbortSignal): Promise<Batch> {
    const begin = performance.now();
    try {
      const failure = await maker.finish(job, signal);
      if (failure !== undefined) {
        if (failure.unreadable === undefined) throw new Error(`A sample could not be made: ${failure.message}`);
        const { index, imagePath } = job.samples[failure.position]!;
        const where = dataset.directory && (await sampleLocation(dataset.directory, index, imagePath));
        throw new UnreadableImageError(imagePath, failure.unreadable, where ?? `sample ${index}`);
      }
    } finally {
      waited += performance.now() - begin;
    }
    return { ...planned, images: new Float32Array(job.pixels, 0, (planned.indices.length * bytesPerImage) / 4) };
  }

  async function* batches(
    plan: Iterable<PlannedBatch>,
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<Batch, void, undefined> {
    const signal = AbortSignal.any([closing.signal, ...(options.signal === undefined ? [] : [options.signal])]);
    const started: StartedBatch[] = [];
    const iterator = plan[Symbol.iterator]();
    let exhausted = false;
    let memory: SharedArrayBuffer | undefined;
    try {
      for (;;) {
        signal.throwIfAborted();
        while (!exhausted && started.length < (workers === 0 ? 1 : 1 + prefetch)) {
          const next = iterator.next();
          if (next.done === true) exhausted = true;
          else started.push(start(next.value, memory));
          memory = undefined;
        }
        const [current] = started;
        if (current === undefined) return;
        const batch = await finish(current, signal);
        started.shift();
        yield batch;
        memory = current.job.pixels;
      }
    } finally {
      for (const { job } of started) maker.cancel(job);
      if (!exhausted) iterator.return?.();
    }
  }

  return {
    batches,
    async load(indices, epoch, options) {
      for await (const batch of batches([{ indices, epoch }], options))
        return { ...batch, images: batch.images.slice() };
      throw new Error("Expected one batch, got none");
    },
    waitMs: () => waited,
    async close() {
      closing.abort(new BatchLoaderClosedError());
      await maker.close();
    },
  };
}
