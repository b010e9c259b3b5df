import { createModelService, type HostedService, type ServiceContext } from "@duchenne/control";
import { DetectorService } from "@duchenne/proto";
import { serviceHandler } from "@duchenne/rpc";
import { createVisionEngine } from "@duchenne/vision";
import { provisionFaceModels } from "@duchenne/vision/provision";
import { answerStream } from "./answer-stream.ts";
import type { DetectorConfig } from "./config.ts";
import { detectFacesResponse, detectionRequestFrom } from "./convert.ts";
import { createFrameMetrics } from "./frame-metrics.ts";
import { ModelRegistry } from "./model-registry.ts";
import { createModelSource } from "./served-model.ts";
import { traceImage } from "./trace-image.ts";

/**
 * Makes the detector, with the built-in model loaded: a process that says it is ready can answer.
 *
 * @throws {ProvisionError} when the face models are not in the cache
 */
export async function createDetector(context: ServiceContext, config: DetectorConfig): Promise<HostedService> {
  const { store, logger } = context;
  const { workers, maxImageBytes, maxImageSide, defaultMaxFaces, framesPerStream, faceLandmarker } = config;
  const engine = createVisionEngine({
    workers,
    imageLimits: { maxBytes: maxImageBytes, maxSide: maxImageSide },
    ...(faceLandmarker === undefined ? {} : { faceModels: await provisionFaceModels({ taskPath: faceLandmarker }) }),
  });
  const registry = new ModelRegistry(createModelSource(store, engine, logger));
  const metrics = createFrameMetrics();
  try {
    (await registry.follow("")).close();
  } catch (error) {
    await engine.close();
    throw error;
  }

  const detector = serviceHandler(DetectorService, {
    async detectFaces(request, { signal, traceContext }) {
      const detection = detectionRequestFrom(request, request.outputs, request.maxFaces || defaultMaxFaces, signal);
      const following = await registry.follow(request.model);
      const { model, resolved, release } = following.lease();
      try {
        const found = await traceImage(traceContext, () => model.au.run(detection));
        metrics.result(found.times);
        return detectFacesResponse(model, resolved.alias, found);
      } finally {
        release();
        following.close();
      }
    },

    streamDetect: (requests, { signal, traceContext }) =>
      answerStream(requests, {
        registry,
        metrics,
        framesPerStream,
        defaultMaxFaces,
        traceEveryMs: config.traceFrameEveryMs,
        traceContext,
        signal,
      }),
  });

  const closing = new AbortController();
  const following = followAliases();
  /** Streams on an alias move when it does, whichever process moved it. */
  async function followAliases(): Promise<void> {
    for await (const _ of store.changes(closing.signal)) await registry.refresh();
  }
  following.catch((error: unknown) => logger.error({ error }, "aliases cannot be followed"));

  return {
    handlers: [detector, createModelService(context)],
    async close() {
      closing.abort();
      await following.catch(() => {});
      await registry.close();
      await engine.close();
    },
  };
}
