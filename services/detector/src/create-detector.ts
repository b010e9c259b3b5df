import { consoleFiles } from "@duchenne/console";
import { createJobService, createModelService, type HostedService, type ServiceContext } from "@duchenne/control";
import { DetectorService } from "@duchenne/proto";
import { serviceHandler } from "@duchenne/rpc";
import { createVisionEngine } from "@duchenne/vision";
import { provisionFaceModels } from "@duchenne/vision/provision";
import { createCanaryMetrics } from "./canary/canary-metrics.ts";
import { CanaryMirror } from "./canary/canary-mirror.ts";
import { batchingFrom, type DetectorConfig } from "./config.ts";
import { detectFacesResponse, detectionRequestFrom } from "./convert.ts";
import { createFrameMetrics, type LiveKind } from "./frame-metrics.ts";
import { ModelRegistry } from "./model-registry.ts";
import { createModelSource } from "./served-model.ts";
import type { AnswerRequests } from "./session/live-session.ts";
import { sessionMethods } from "./session/session-methods.ts";
import { Sessions } from "./session/sessions.ts";
import { answerStream } from "./stream/answer-stream.ts";
import type { StreamDefaults } from "./stream/stream-settings.ts";
import { traceImage } from "./trace-image.ts";
import { createVideoAnalyses } from "./video/video-analyses.ts";

/**
 * Makes the detector, with the built-in model loaded: a process that says it is ready can answer.
 *
 * @throws {ProvisionError} when the face models are not in the cache
 */
export async function createDetector(context: ServiceContext, config: DetectorConfig): Promise<HostedService> {
  const { store, logger } = context;
  const { maxImageBytes, maxImageSide, faceLandmarker } = config;
  const files = config.console ? await consoleFiles() : undefined;
  const metrics = createFrameMetrics();
  const batching = batchingFrom(config);
  const engine = createVisionEngine({
    workers: config.workers,
    imageLimits: { maxBytes: maxImageBytes, maxSide: maxImageSide },
    batching,
    scorers: config.scorers,
    sessionThreads: config.sessionThreads,
    onBatch: (size) => metrics.batch(size),
    ...(faceLandmarker === undefined ? {} : { faceModels: await provisionFaceModels({ taskPath: faceLandmarker }) }),
  });
  const registry = new ModelRegistry(createModelSource(store, engine, logger));
  try {
    (await registry.follow("")).close();
  } catch (error) {
    await engine.close();
    throw error;
  }
  const mirror = new CanaryMirror({
    registry,
    share: config.canaryShare,
    priority: batching.priorities.length,
    metrics: createCanaryMetrics(),
    logger,
  });
  const defaults: StreamDefaults = {
    maxFaces: config.defaultMaxFaces,
    detectEvery: config.detectEvery,
    batching,
  };

  const answer =
    (kind: LiveKind): AnswerRequests =>
    (requests, { signal, draining, traceContext }) =>
      answerStream(requests, {
        registry,
        kind,
        mirror,
        metrics,
        logger,
        defaults,
        credit: config.framesPerStream,
        faceMemoryMs: config.faceMemoryMs,
        goingAwayGraceMs: config.goingAwayGraceMs,
        reconnectAfterMs: config.reconnectAfterMs,
        traceEveryMs: config.traceFrameEveryMs,
        traceContext,
        signal,
        draining,
      });
  const sessions = new Sessions({
    answer: answer("session"),
    maxWaiting: config.framesPerStream,
    bufferBytes: config.sessionBufferBytes,
    idleMs: config.sessionIdleMs,
    maxSessions: config.maxSessions,
  });
  const analyses = createVideoAnalyses(context, config);
  const detector = serviceHandler(DetectorService, {
    ...analyses.methods,

    async detectFaces(request, { signal, traceContext }) {
      const receivedMs = performance.now();
      const detection = detectionRequestFrom(request, request.outputs, request.maxFaces || defaults.maxFaces);
      const following = await registry.follow(request.model);
      const { model, resolved, release } = following.lease();
      try {
        const found = await traceImage(
          traceContext,
          receivedMs,
          () => model.au.run(detection, { signal, priority: request.priority, receivedMs }),
          (result) => result,
        );
        metrics.result(found.times);
        return detectFacesResponse(model, resolved.alias, found);
      } finally {
        release();
        following.close();
      }
    },

    streamDetect: answer("stream"),
    ...sessionMethods(sessions, maxImageBytes),
  });

  const closing = new AbortController();
  const following = followAliases();
  /** Streams on an alias move when it does, whichever process moved it. */
  async function followAliases(): Promise<void> {
    for await (const _ of store.changes(closing.signal)) {
      await registry.refresh();
      mirror.refresh();
    }
  }
  following.catch((error: unknown) => logger.error({ error }, "aliases cannot be followed"));

  return {
    handlers: [detector, createJobService(store), createModelService(context)],
    files,
    async close(options) {
      await analyses.close(options);
      closing.abort();
      await following.catch(() => {});
      await sessions.close();
      await mirror.close();
      await registry.close();
      await engine.close();
    },
  };
}
