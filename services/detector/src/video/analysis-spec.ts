import { COLUMN_SETS, TABLE_FORMATS } from "@duchenne/video";
import { z } from "zod";

/** The kind of a job that analyses a video. */
export const VIDEO_ANALYSIS = "video_analysis";

/** What a video analysis is made from. */
export const analysisSpecSchema = z.object({
  /** The file's absolute path. */
  video: z.string(),
  /** "models/{model}/versions/{version}", resolved. */
  modelVersion: z.string(),
  columns: z.enum(COLUMN_SETS),
  formats: z.array(z.enum(TABLE_FORMATS)).min(1),
  maxFaces: z.int().min(1),
  detectEvery: z.int().min(1),
});
/** What a video analysis is made from. */
export type AnalysisSpec = z.output<typeof analysisSpecSchema>;

/** What a video analysis came to. */
export const analysisResultSchema = z.object({
  /** Frames that were decoded, and how many of them show a face. */
  frames: z.int(),
  framesWithFaces: z.int(),
  /** Packets of the container's video stream, where it could be told. */
  packets: z.int().optional(),
  /** Faces that were told apart. */
  faces: z.int(),
  /** Rows of each table. */
  rows: z.int(),
  /** What ffmpeg met on its way, such as a damaged stretch: how often, and the first of it in its words. */
  decodeErrors: z.int(),
  firstDecodeErrors: z.array(z.string()),
  tables: z.array(z.object({ format: z.enum(TABLE_FORMATS), digest: z.string(), sizeBytes: z.int() })),
});
/** What a video analysis came to. */
export type AnalysisResult = z.output<typeof analysisResultSchema>;
