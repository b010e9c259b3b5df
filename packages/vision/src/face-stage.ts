import type { DetectionRequest, FoundImage, Scheduling } from "./au-model.ts";
import { Batcher } from "./batching/batcher.ts";
import { checkEncodedImage, ImageTooLargeError, InvalidImageError } from "./decode.ts";
import type { ResolvedEngineOptions } from "./engine-options.ts";
import { InvalidFaceBoxError } from "./face-box.ts";
import { faceModelsMissing } from "./provision/index.ts";
import { checkRawImage, type RawImage } from "./raw-image.ts";
import type { FaceTracker } from "./tracking/face-tracker.ts";
import type { FaceTask, FaceWorkerSettings, FindResult, Preparation, TaskError } from "./worker/task.ts";
import { EngineClosedError, WorkerPool } from "./worker/worker-pool.ts";

/** The first stage of every image: decoded, its faces found and prepared, in worker threads. */
export interface FaceStage {
  /** Loads the face models into every worker. @throws {ProvisionError} when they are not in the cache */
  open(): Promise<void>;
  find(request: DetectionRequest, preparation: Preparation, scheduling: Scheduling): Promise<FoundImage>;
  close(): Promise<void>;
}

interface Job {
  readonly request: DetectionRequest;
  readonly preparation: Preparation;
  /** Follows the faces from the frame before; undefined: they are not followed. */
  readonly follower: FaceTracker | undefined;
  readonly frameTimeMs: number;
}

type Found = FindResult & Pick<FoundImage, "faceIds">;

/** Starts the workers. */
export function createFaceStage({ workers, imageLimits, faceModels, batching }: ResolvedEngineOptions): FaceStage {
  const settings: FaceWorkerSettings = { imageLimits, faceModels };
  const pool = new WorkerPool<FaceTask>(new URL("./worker/face-worker.ts", import.meta.url), workers, settings);

  const work = async ({ request, preparation, follower, frameTimeMs }: Job): Promise<Found> => {
    const { maxFaces, imageIsCrop, faceBox, faces, quality } = request;
    const { image, buffer } = copyOf(request.image);
    const task = {
      kind: "find",
      request: { image, maxFaces, imageIsCrop, faceBox, faces, quality },
      plan: follower?.plan(),
      preparation,
    } as const;
    const result = (await pool.run(task, { transfer: [buffer], errorFrom: errorOf })) as FindResult;
    return follower === undefined ? result : { ...result, faceIds: follower.update(result, frameTimeMs) };
  };
  const batcher = new Batcher<Job, Found>({
    ...batching,
    // A worker takes one image at a time; there is nothing to wait for.
    maxBatchSize: 1,
    preferredBatchSizes: [],
    maxQueueDelayMs: 0,
    instances: workers,
    execute: async (jobs) => Promise.all(jobs.map(work)),
  });

  return {
    open: () => pool.keep(0, { task: { kind: "open" }, errorFrom: errorOf }),
    async find(request, preparation, scheduling) {
      const {
        stream = Symbol("alone"),
        receivedMs = performance.now(),
        frameTimeMs = receivedMs,
        tracker,
      } = scheduling;
      // What is refused takes nobody's place in the queue.
      if (request.image instanceof Uint8Array) checkEncodedImage(request.image, imageLimits);
      else checkRawImage(request.image, imageLimits);
      const follower = tracker?.follows === true && looksForFaces(request) ? tracker : undefined;
      let startedMs = receivedMs;
      const found = await batcher.submit({
        value: { request, preparation, follower, frameTimeMs },
        stream,
        priority: scheduling.priority,
        timeoutMs: scheduling.timeoutMs,
        // A frame may have waited for others of its stream.
        waitedMs: performance.now() - receivedMs,
        exclusive: follower !== undefined,
        supersede: scheduling.latest,
        signal: scheduling.signal,
        onStart() {
          startedMs = performance.now();
          scheduling.onStart?.();
        },
      });
      return { ...found, request, receivedMs, queueMs: startedMs - receivedMs };
    },
    close() {
      batcher.close(new EngineClosedError());
      return pool.close();
    },
  };
}

/** Whether it is not told where the face is. Such images do not depend on the ones before. */
function looksForFaces({ imageIsCrop, faceBox, faces }: DetectionRequest): boolean {
  return imageIsCrop !== true && faceBox === undefined && faces === undefined;
}

/** A copy to hand over: the caller's may be a view of a larger buffer. */
function copyOf(image: Uint8Array | RawImage): { readonly image: Uint8Array | RawImage; readonly buffer: ArrayBuffer } {
  if (image instanceof Uint8Array) {
    const copy = new Uint8Array(image);
    return { image: copy, buffer: copy.buffer };
  }
  const data = new Uint8Array(image.data);
  return { image: { ...image, data }, buffer: data.buffer };
}

/** Gives errors of a worker their classes back. */
function errorOf({ message, stack, reason }: TaskError): Error {
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
