import { DEFAULT_IMAGE_LIMITS } from "./decode.ts";
import { ModelLoadError } from "./vision-engine.ts";
import type { ScoreResult } from "./worker/task.ts";
import { WorkerPool } from "./worker/worker-pool.ts";

/** A vision transformer in a worker thread, for batches that are already cropped and normalised. */
export interface OnnxRunner {
  /**
   * Scores `count` images.
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
  const pool = new WorkerPool(1, {
    imageLimits: DEFAULT_IMAGE_LIMITS,
    faceModels: undefined,
    sessionThreads: threads,
  });
  const model = 1;
  // Only the tensors' way through the session is used: crops and thresholds are the caller's.
  const source = { kind: "vit", path, imageSize: 0, description: "", actionUnits: [] } as const;
  try {
    await pool.load({ kind: "load", model, source }, ({ message }) => new ModelLoadError(message));
  } catch (error) {
    await pool.close();
    throw error;
  }
  return {
    async run(images, count, { signal } = {}) {
      const copy = images.slice();
      const task = { kind: "score", model, images: copy, count } as const;
      return (await pool.run(task, { signal, transfer: [copy.buffer] })) as ScoreResult;
    },
    close: () => pool.close(),
  };
}
