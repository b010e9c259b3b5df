import { z } from "zod";
import { EXCLUSION_REASONS } from "./curation-options.ts";

const shared = {
  /** The file, by its way from the folder. */
  source: z.string(),
  /** sha256 of the file's bytes; of pictures that were read, and of videos. */
  sha256: z.string().optional(),
};
/** Of a frame of a video: its number, from 0, and its time in the container, where that has one. */
const frameShape = { frame: z.int().optional(), timeS: z.number().optional() };
/** In pixels, as the picture is shown. */
const sizeShape = { width: z.int().optional(), height: z.int().optional() };

/** A picture or a frame that is an image of the data set now. */
const keptLineSchema = z.object({
  kind: z.literal("kept"),
  ...shared,
  ...frameShape,
  ...sizeShape,
  /** The image, by its way in the data set's folder. */
  image: z.string(),
  sizeBytes: z.int(),
  /** True when these are the file's own bytes. */
  asItWas: z.boolean(),
});

/** A file or a frame that is none; a file's own line also ends the reading of a video. */
const leftOutLineSchema = z.object({
  kind: z.literal("left_out"),
  ...shared,
  ...frameShape,
  ...sizeShape,
  reason: z.enum(EXCLUSION_REASONS),
  detail: z.string(),
});

/** A video that was read to its end; its frames stand before it. */
const videoLineSchema = z.object({
  kind: z.literal("video"),
  ...shared,
  framesDecoded: z.int(),
  framesTaken: z.int(),
  framesKept: z.int(),
  decodeErrors: z.int(),
  firstDecodeErrors: z.array(z.string()).optional(),
});

/** A line of `curation.jsonl`. */
export const curationLineSchema = z.discriminatedUnion("kind", [keptLineSchema, leftOutLineSchema, videoLineSchema]);
/** A line of `curation.jsonl`. */
export type CurationLine = Readonly<z.output<typeof curationLineSchema>>;
/** A line of an image that was kept. */
export type KeptLine = Readonly<z.output<typeof keptLineSchema>>;

/** Whether nothing more of its source comes after a line. */
export function endsSource(line: CurationLine): boolean {
  return line.kind === "video" || line.frame === undefined;
}
