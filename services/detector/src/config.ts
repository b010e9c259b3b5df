import { parseConfiguration, processConfigShape } from "@duchenne/control";
import { z } from "zod";

/** What the detector alone is configured by, beside what every process is. */
export const detectorShape = {
  faceLandmarker: z.string().optional().describe("An own face_landmarker.task; default: the one that set-up fetched."),
  workers: z.coerce
    .number()
    .int()
    .min(1)
    .max(256)
    .default(2)
    .describe("Worker threads that decode images and run models."),
  framesPerStream: z.coerce
    .number()
    .int()
    .min(1)
    .max(64)
    .default(4)
    .describe("Frames of one stream that may be in work at once."),
  defaultMaxFaces: z.coerce
    .number()
    .int()
    .min(1)
    .max(64)
    .default(8)
    .describe("Faces answered when the caller names no number."),
  maxImageSide: z.coerce
    .number()
    .int()
    .min(64)
    .max(32_768)
    .default(8192)
    .describe("The longest side of an image taken, in pixels."),
  maxImageBytes: z.coerce
    .number()
    .int()
    .min(1024)
    .max(256 * 2 ** 20)
    .default(12 * 2 ** 20)
    .describe("The largest encoded image taken, in bytes."),
  traceFrameEveryMs: z.coerce
    .number()
    .int()
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

/** Reads the process's configuration. @throws {ConfigurationError} with every problem */
export function readDetectorConfig(): z.output<typeof detectorConfigSchema> {
  return parseConfiguration(detectorConfigSchema, { args: process.argv.slice(2), env: process.env });
}
