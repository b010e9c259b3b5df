import { onOff, parseConfiguration, processConfigShape } from "@duchenne/control";
import type { BatchingOptions } from "@duchenne/vision";
import { z } from "zod";

const count = z.coerce.number().int();

/** Comma-separated numbers, such as "128,64". */
const counts = z
  .string()
  .regex(/^(\d{1,6}(,\d{1,6})*)?$/, 'Expected numbers with commas between them, such as "128,64"')
  .transform((text) => text.split(",").filter(Boolean).map(Number));

/** What the detector alone is configured by, beside what every process is. */
export const detectorShape = {
  faceLandmarker: z.string().optional().describe("An own face_landmarker.task; default: the one that set-up fetched."),
  workers: count.min(1).max(256).default(2).describe("Worker threads that decode images and find faces."),
  scorers: count
    .min(1)
    .max(64)
    .default(1)
    .describe("Threads that score batches; each holds every trained model in use."),
  sessionThreads: count
    .min(1)
    .max(256)
    .optional()
    .describe("Threads of each scorer's session; default: the machine's, shared among the scorers."),
  maxBatchSize: count.min(1).max(1024).default(8).describe("Faces scored together at most."),
  preferredBatchSizes: counts
    .default([])
    .describe('Batch sizes that are sent as soon as they can be had, such as "4,8"; default: none.'),
  maxQueueDelayMs: z.coerce
    .number()
    .min(0)
    .max(10_000)
    .default(0)
    .describe("How long a face may be held back for a fuller batch, in milliseconds; 0: never."),
  maxQueueSizes: counts
    .default([256, 256, 256])
    .refine((sizes) => sizes.length >= 1 && sizes.length <= 16, "Expected 1 to 16 priorities")
    .describe("Images (and faces) that may wait, for each priority from the highest down; 0: any number."),
  defaultPriority: count.min(1).max(16).default(2).describe("The priority of callers who name none; 1 is the highest."),
  queueTimeoutMs: count
    .min(0)
    .max(600_000)
    .default(0)
    .describe("How long an image may wait, in milliseconds; callers may only shorten it. 0: any time."),
  queueTimeoutAction: z
    .enum(["reject", "delay"])
    .default("reject")
    .describe("What happens to one that waited so long: it is rejected, or goes behind all of its priority in time."),
  detectEvery: count
    .min(1)
    .max(1000)
    .default(5)
    .describe("The whole image is searched for faces every so many frames of a stream, and when a face is lost."),
  faceMemoryMs: count
    .min(0)
    .max(3_600_000)
    .default(10_000)
    .describe("How long a lost face's id is kept for it, in milliseconds."),
  goingAwayGraceMs: count
    .min(0)
    .max(600_000)
    .default(5000)
    .describe("How long streams are still scored when the process is about to stop, in milliseconds."),
  reconnectAfterMs: count
    .min(0)
    .max(600_000)
    .default(1000)
    .describe("When callers are told to connect again after a stop, in milliseconds."),
  framesPerStream: count.min(1).max(64).default(4).describe("Frames of one stream that may be unanswered: its credit."),
  maxSessions: count
    .min(1)
    .max(100_000)
    .default(256)
    .describe("Sessions of callers that cannot stream requests, such as browsers."),
  sessionIdleMs: count
    .min(1000)
    .max(86_400_000)
    .default(30_000)
    .describe("A session ends when nobody pushes to it or watches it for so long, in milliseconds."),
  sessionBufferBytes: count
    .min(1024)
    .max(2 ** 30)
    .default(2 ** 20)
    .describe("Answers of a session that are kept for a watcher who comes back, in bytes."),
  defaultMaxFaces: count.min(1).max(64).default(8).describe("Faces answered when the caller names no number."),
  maxImageSide: count.min(64).max(32_768).default(8192).describe("The longest side of an image taken, in pixels."),
  maxImageBytes: count
    .min(1024)
    .max(256 * 2 ** 20)
    .default(12 * 2 ** 20)
    .describe("The largest encoded image taken, in bytes."),
  videoRoots: z
    .string()
    .default("")
    .transform((text) => text.split(":").filter((root) => root !== ""))
    .describe('Folders, beside "import" in the data folder, that videos may be read from; separated by ":".'),
  analysisSlots: count.min(1).max(64).default(1).describe("Videos that are analysed at once."),
  canaryShare: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("Share of the frames of streams on an alias live that its canary scores too, to compare; 0: none."),
  console: onOff.default(true).describe("Serve the live page on the Connect port."),
  traceFrameEveryMs: count
    .min(100)
    .default(60_000)
    .describe("How often a frame of a stream is traced with its stages, in milliseconds."),
};

/** The detector process's configuration. */
export const detectorConfigSchema = z.object({
  ...processConfigShape,
  ...detectorShape,
  grpcPort: processConfigShape.grpcPort.default(50_051),
  connectPort: processConfigShape.connectPort.default(8_051),
});
/** What the detector is configured by. */
export type DetectorConfig = z.output<z.ZodObject<typeof detectorShape>>;

/** How images and faces wait and become batches. A default priority below the lowest counts as the lowest. */
export function batchingFrom(config: DetectorConfig): BatchingOptions {
  const { maxBatchSize, preferredBatchSizes, maxQueueDelayMs, maxQueueSizes, queueTimeoutMs, queueTimeoutAction } =
    config;
  return {
    maxBatchSize,
    preferredBatchSizes: preferredBatchSizes.filter((size) => size >= 1 && size <= maxBatchSize),
    maxQueueDelayMs,
    priorities: maxQueueSizes.map((maxQueueSize) => ({
      maxQueueSize,
      timeoutMs: queueTimeoutMs,
      timeoutAction: queueTimeoutAction,
    })),
    defaultPriority: Math.min(config.defaultPriority, maxQueueSizes.length),
  };
}

/** Reads the process's configuration. @throws {ConfigurationError} with every problem */
export function readDetectorConfig(): z.output<typeof detectorConfigSchema> {
  return parseConfiguration(detectorConfigSchema, { args: process.argv.slice(2), env: process.env });
}
