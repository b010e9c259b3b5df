import { z } from "zod";

/** How a folder of pictures and videos becomes images to pretrain on; the defaults are Face9M's (Ning et al. 2024, section 3). */
export const curationOptionsSchema = z.object({
  /** Images with a width or a height below it are left out, in pixels. */
  minSide: z.int().min(1).max(8192).default(224),
  /** Images whose longer side is more than so many times the shorter one are left out. */
  maxAspectRatio: z.number().min(1).max(100).default(1.5),
  /** Side of the square images that are made, in pixels. */
  size: z.int().min(32).max(1024).default(224),
  /** Frames that are taken of a second of a video. */
  videoFramesPerSecond: z.number().positive().max(1000).default(1),
  /** Leave out files whose bytes are those of an earlier one that was kept. Face9M's recipe has no such step. */
  excludeDuplicates: z.boolean().default(true),
});
/** How a folder of pictures and videos becomes images to pretrain on. */
export type CurationOptions = Readonly<z.output<typeof curationOptionsSchema>>;

/** Why something of a folder is not among the images that were made of it. */
export const EXCLUSION_REASONS = [
  "too_small",
  "too_elongated",
  "too_large",
  "undecodable",
  "not_an_image",
  "duplicate",
] as const;
/** Why something of a folder is not among the images that were made of it. */
export type ExclusionReason = (typeof EXCLUSION_REASONS)[number];

/** Something that is left out, and why. */
export interface Exclusion {
  readonly reason: ExclusionReason;
  /** Expected and actual, for people. */
  readonly detail: string;
}
