import { availableParallelism } from "node:os";
import { type BatchingOptions, PLAIN_BATCHING } from "./batching/request-queue.ts";
import { DEFAULT_IMAGE_LIMITS, type ImageLimits } from "./decode.ts";
import { type FaceModelFiles, findFaceModels } from "./provision/index.ts";

/** How an engine is made. */
export interface VisionEngineOptions {
  /** Worker threads that decode images and find faces. */
  readonly workers: number;
  /** Default: DEFAULT_IMAGE_LIMITS. */
  readonly imageLimits?: ImageLimits | undefined;
  /** Default: those in the cache. */
  readonly faceModels?: FaceModelFiles | undefined;
  /** How images wait, for a worker and to be scored; batches are of faces. Default: batches of 8, nothing else. */
  readonly batching?: BatchingOptions | undefined;
  /** Threads that score batches; each holds every trained model. Default: 1. */
  readonly scorers?: number | undefined;
  /** Threads of each scorer's session. Default: the machine's, shared among the scorers. */
  readonly sessionThreads?: number | undefined;
  /** Told the size of every batch that is scored. */
  readonly onBatch?: ((size: number) => void) | undefined;
}

/** Options with every default filled in. */
export interface ResolvedEngineOptions {
  readonly workers: number;
  readonly imageLimits: ImageLimits;
  readonly faceModels: FaceModelFiles | undefined;
  readonly batching: BatchingOptions;
  readonly scorers: number;
  readonly sessionThreads: number;
  readonly onBatch: (size: number) => void;
}

/** Fills in the defaults. */
export function resolveEngineOptions(options: VisionEngineOptions): ResolvedEngineOptions {
  const { workers, scorers = 1 } = options;
  return {
    workers,
    scorers,
    imageLimits: options.imageLimits ?? DEFAULT_IMAGE_LIMITS,
    faceModels: options.faceModels ?? findFaceModels(),
    batching: options.batching ?? { ...PLAIN_BATCHING, maxBatchSize: 8 },
    sessionThreads: options.sessionThreads ?? Math.max(Math.floor(availableParallelism() / scorers), 1),
    onBatch: options.onBatch ?? (() => {}),
  };
}
