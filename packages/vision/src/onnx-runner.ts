import { ModelLoadError } from "./model-load-error.ts";
import type { ScoreResult, ScoreTask, ScoreWorkerSettings } from "./worker/task.ts";
import { WorkerPool } from "./worker/worker-pool.ts";

/** A vision transformer in a worker thread, for batches that are already cropped and normalised. */
export interface OnnxRunner {
  /**
   * Scores `count` images, one batch after the other.
   *
   * @param images [B, 3, S, S], as normaliseImage makes them; copied
   * @returns logits [B, A] and pooled features [B, D]
   */
  run(images: Float32Array, count: number, options?: { readonly signal?: AbortSignal }): Promise<ScoreResult>;
  close(): Promise<void>;
}

/**
 * Opens an ONNX model that packages/model exported.
 *
 * @param threads threads of the session
 * @throws {ModelLoadError} when the file cannot be opened
 */
export async function createOnnxRunner(
  path: string,
  { threads = 1 }: { readonly threads?: number } = {},
): Promise<OnnxRunner> {
  const settings: ScoreWorkerSettings = { threads };
  const pool = new WorkerPool<ScoreTask>(new URL("./worker/score-worker.ts", import.meta.url), 1, settings);
  const model = 1;
  try {
    const task = { kind: "load", model, source: { path } } as const;
    await pool.keep(model, { task, errorFrom: ({ message }) => new ModelLoadError(message) });
  } catch (error) {
    await pool.close();
    throw error;
  }
  return {
    async run(images, count, { signal } = {}) {
      signal?.throwIfAborted();
      const copy = images.slice();
      const task = { kind: "score", model, images: [copy], count } as const;
      const result = (await pool.run(task, { transfer: [copy.buffer] })) as ScoreResult;
      signal?.throwIfAborted();
      return result;
    },
    close: () => pool.close(),
  };
}
