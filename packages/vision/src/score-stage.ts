import type { FoundImage, Scheduling, VitSource } from "./au-model.ts";
import { Batcher } from "./batching/batcher.ts";
import type { ResolvedEngineOptions } from "./engine-options.ts";
import { ModelLoadError } from "./model-load-error.ts";
import type { ScoreResult, ScoreTask, ScoreWorkerSettings, TaskError } from "./worker/task.ts";
import { EngineClosedError, WorkerPool } from "./worker/worker-pool.ts";

/** What a trained model says of one face. */
export interface FaceLogits {
  /** [A] */
  readonly logits: Float32Array;
  /** [D]: the pooled features. */
  readonly features: Float32Array;
}

/** The faces of one image, scored. */
export interface ScoredFaces {
  readonly faces: readonly FaceLogits[];
  /** Waiting for a batch. */
  readonly queueMs: number;
  readonly inferenceMs: number;
}

/** A trained model in the threads that score. */
export interface Scorer {
  score(found: FoundImage, scheduling: Scheduling): Promise<ScoredFaces>;
  unload(): Promise<void>;
}

/** The second stage of what trained models score: faces of all streams in batches, in threads of their own. */
export interface ScoreStage {
  /** Loads and warms a model. @throws {ModelLoadError} */
  load(source: VitSource): Promise<Scorer>;
  close(): Promise<void>;
}

/** Makes the stage; its threads start with the first model. */
export function createScoreStage(options: ResolvedEngineOptions): ScoreStage {
  const { scorers, sessionThreads, batching, onBatch } = options;
  let pool: WorkerPool<ScoreTask> | undefined;
  const batchers = new Set<Batcher<Float32Array, FaceLogits>>();
  let nextModel = 1;
  let closed = false;

  function start(): WorkerPool<ScoreTask> {
    if (closed) throw new EngineClosedError();
    const settings: ScoreWorkerSettings = { threads: sessionThreads };
    pool ??= new WorkerPool(new URL("./worker/score-worker.ts", import.meta.url), scorers, settings);
    return pool;
  }

  return {
    async load({ path, imageSize, actionUnits }) {
      const workers = start();
      const model = nextModel++;
      const source = { path, warmUp: { imageSize, logits: actionUnits.length } };
      // Callers are told why; where the server keeps its files is not theirs to know.
      const refused = ({ message }: TaskError) => new ModelLoadError(message.replaceAll(path, "the model's file"));
      await workers.keep(model, {
        task: { kind: "load", model, source },
        undo: { kind: "unload", model },
        errorFrom: refused,
      });
      const batcher = new Batcher<Float32Array, FaceLogits>({
        ...batching,
        instances: scorers,
        async execute(images) {
          onBatch(images.length);
          const task = { kind: "score", model, images, count: images.length } as const;
          const transfer = images.map(({ buffer }) => buffer);
          return splitBatch((await workers.run(task, { transfer })) as ScoreResult, images.length);
        },
      });
      batchers.add(batcher);
      return {
        score: (found, scheduling) => scoreFaces(batcher, found, scheduling),
        async unload() {
          batchers.delete(batcher);
          batcher.close(new EngineClosedError());
          await workers.drop(model);
        },
      };
    },
    async close() {
      closed = true;
      for (const batcher of batchers) batcher.close(new EngineClosedError());
      await pool?.close();
    },
  };
}

async function scoreFaces(
  batcher: Batcher<Float32Array, FaceLogits>,
  { faces, queueMs: waitedMs }: FoundImage,
  { stream = Symbol("alone"), priority, timeoutMs, signal, onStart }: Scheduling,
): Promise<ScoredFaces> {
  const calledMs = performance.now();
  let startedMs: number | undefined;
  const begin = () => {
    if (startedMs === undefined) onStart?.();
    startedMs = performance.now();
  };
  if (faces.length === 0) begin();
  // An image whose one face is refused needs no answer for the others.
  const givenUp = new AbortController();
  const giveUp = () => givenUp.abort(signal?.reason);
  signal?.throwIfAborted();
  signal?.addEventListener("abort", giveUp, { once: true });
  const submitted = faces.map(({ input }) =>
    batcher.submit({
      value: input,
      stream,
      priority,
      timeoutMs,
      waitedMs,
      signal: givenUp.signal,
      onStart: begin,
    }),
  );
  try {
    const scored = await Promise.all(submitted);
    const begunMs = startedMs ?? calledMs;
    return { faces: scored, queueMs: begunMs - calledMs, inferenceMs: performance.now() - begunMs };
  } catch (error) {
    givenUp.abort(error);
    await Promise.allSettled(submitted);
    throw error;
  } finally {
    signal?.removeEventListener("abort", giveUp);
  }
}

function splitBatch({ logits, features }: ScoreResult, count: number): FaceLogits[] {
  const [units, dim] = [logits.length / count, features.length / count];
  return Array.from({ length: count }, (_, i) => ({
    logits: logits.slice(i * units, (i + 1) * units),
    features: features.slice(i * dim, (i + 1) * dim),
  }));
}
