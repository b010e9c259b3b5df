import type { AuModel, Detection, DetectionRequest, ModelDescription, ModelSource, VitSource } from "./au-model.ts";
import { BLENDSHAPE_ACTION_UNITS, BLENDSHAPE_AU_DESCRIPTION, BLENDSHAPE_THRESHOLD_NOTE } from "./blendshape-au.ts";
import { DEFAULT_IMAGE_LIMITS, type ImageLimits, ImageTooLargeError, InvalidImageError } from "./decode.ts";
import { boxConvention, InvalidFaceBoxError } from "./face-box.ts";
import { type FaceModelFiles, faceModelsMissing, findFaceModels } from "./provision/index.ts";
import type { DetectResult, TaskError } from "./worker/task.ts";
import { WorkerPool } from "./worker/worker-pool.ts";

/** How an engine is made. */
export interface VisionEngineOptions {
  /** Worker threads; each holds every loaded model. */
  readonly workers: number;
  /** Default: DEFAULT_IMAGE_LIMITS. */
  readonly imageLimits?: ImageLimits;
  /** Default: those in the cache. */
  readonly faceModels?: FaceModelFiles;
}

/** Runs models in worker threads: inference blocks its thread, and the caller's must stay free. */
export interface VisionEngine {
  /**
   * Loads a model into every worker.
   *
   * @throws {ProvisionError} when the model needs the face models and they are not in the cache
   * @throws {ModelLoadError} when the model's file cannot be opened
   */
  load(source: ModelSource): Promise<AuModel>;
  /** Ends the workers; what runs is finished, what waits is rejected with EngineClosedError. */
  close(): Promise<void>;
}

/** Thrown when a model's file is missing, damaged or not of the expected form. */
export class ModelLoadError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "MODEL_LOAD_FAILED";

  constructor(description: string) {
    super(description);
    this.name = "ModelLoadError";
  }
}

/**
 * Starts an engine.
 *
 *     const engine = createVisionEngine({ workers: 2 });
 *     const model = await engine.load({ kind: "blendshape-au" });
 *     const { faces } = await model.run({ image: await readFile("face.jpg"), maxFaces: 1 });
 */
export function createVisionEngine(options: VisionEngineOptions): VisionEngine {
  const pool = new WorkerPool(options.workers, {
    imageLimits: options.imageLimits ?? DEFAULT_IMAGE_LIMITS,
    faceModels: options.faceModels ?? findFaceModels(),
    sessionThreads: 1,
  });
  let nextModel = 1;
  return {
    async load(source) {
      const model = nextModel++;
      await pool.load({ kind: "load", model, source }, loadError);
      const description = source.kind === "vit" ? describeVit(source) : describeBuiltInModel();
      return {
        describe: () => description,
        run: (request) => runDetection(pool, model, request),
        dispose: () => pool.unload(model),
      };
    },
    close: () => pool.close(),
  };
}

async function runDetection(pool: WorkerPool, model: number, request: DetectionRequest): Promise<Detection> {
  const { signal, image, ...rest } = request;
  const calledAt = performance.now();
  let startedAt = calledAt;
  // The copy is handed over; the caller keeps its own, which may be a view of a larger buffer.
  const copy = new Uint8Array(image);
  const task = { kind: "detect", model, request: { ...rest, image: copy } } as const;
  const { times, ...found } = (await pool.run(task, {
    signal,
    transfer: [copy.buffer],
    onStart: () => {
      startedAt = performance.now();
    },
    errorFrom: detectionError,
  })) as DetectResult;
  const queueMs = startedAt - calledAt;
  return { ...found, times: { queueMs, ...times, totalMs: performance.now() - calledAt } };
}

/** Gives errors of a worker their classes back. */
function detectionError({ message, stack, reason }: TaskError): Error {
  switch (reason) {
    case "INVALID_IMAGE":
      return new InvalidImageError(message);
    case "IMAGE_TOO_LARGE":
      return new ImageTooLargeError(message);
    case "INVALID_FACE_BOX":
      return new InvalidFaceBoxError(message);
    case "FACE_MODELS_UNAVAILABLE":
      return faceModelsMissing();
    default:
      return Object.assign(new Error(message), { stack });
  }
}

function loadError(error: TaskError): Error {
  return error.reason === "FACE_MODELS_UNAVAILABLE" ? detectionError(error) : new ModelLoadError(error.message);
}

/** What the built-in model is, and what its scores mean. */
export function describeBuiltInModel(): ModelDescription {
  return {
    kind: "blendshape-au",
    description: BLENDSHAPE_AU_DESCRIPTION,
    scoreKind: "activation",
    actionUnits: BLENDSHAPE_ACTION_UNITS.map(({ actionUnit, source, threshold }) => ({
      actionUnit,
      threshold,
      thresholdOrigin: "expert",
      thresholdNote: BLENDSHAPE_THRESHOLD_NOTE,
      lateral: typeof source !== "string",
      source: typeof source === "string" ? source : `the greater of ${source.left} and ${source.right}`,
    })),
    warnings: [],
  };
}

function describeVit({ actionUnits, description, boxConvention: convention }: VitSource): ModelDescription {
  return {
    kind: "vit",
    description,
    scoreKind: "probability",
    actionUnits: actionUnits.map((unit) => ({ ...unit, lateral: false, source: "sigmoid of the model's logit" })),
    warnings: boxConvention(convention).warnings,
  };
}
