import { z } from "zod";

/** The kind of a job that projects features. */
export const PROJECTION = "projection";

/** What a projection job is made from. */
export const projectionSpecSchema = z.object({
  /** "models/{model}/versions/{version}", resolved. */
  modelVersion: z.string(),
  /** "datasets/{dataset}". */
  dataset: z.string(),
  split: z.enum(["held_out", "all"]),
  maxFrames: z.int(),
  /** Absent: all of them. */
  maxSubjects: z.int().optional(),
  perplexity: z.number(),
  neighbours: z.int(),
  seed: z.int(),
});
/** What a projection job is made from. */
export type ProjectionSpec = z.output<typeof projectionSpecSchema>;
