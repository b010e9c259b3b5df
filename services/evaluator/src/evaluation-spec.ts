import { z } from "zod";

/** What an evaluation job is made from. */
export const evaluationSpecSchema = z.object({
  /** "models/{model}/versions/{version}", resolved; absent with a training. */
  modelVersion: z.string().optional(),
  /** "jobs/{job}" of a training or quantisation, waited for, whose version is evaluated. */
  training: z.string().optional(),
  /** "datasets/{dataset}". */
  dataset: z.string(),
  split: z.enum(["held_out", "all"]),
  identityLeakage: z.boolean(),
  seed: z.int(),
  resamples: z.int(),
});
/** What an evaluation job is made from. */
export type EvaluationSpec = z.output<typeof evaluationSpecSchema>;
