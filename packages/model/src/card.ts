import { z } from "zod";
import { modelConfigSchema } from "./config.ts";

/** What a model version says of itself: enough to judge it and to make it again. */
export const modelCardSchema = z.object({
  /** "models/{model}". */
  model: z.string(),
  description: z.string(),
  config: modelConfigSchema,
  dataset: z.object({
    /** "datasets/{dataset}". */
    name: z.string(),
    description: z.string(),
    digest: z.string(),
    subjects: z.int(),
    frames: z.int(),
  }),
  /** The subjects trained on, and those held out. */
  split: z.object({ trainSubjects: z.array(z.string()), testSubjects: z.array(z.string()) }),
  /** The full recipe, defaults filled in. */
  recipe: z.record(z.string(), z.json()),
  /** How faces were cut. */
  boxConvention: z.string(),
  /** In the order of the logits. */
  thresholds: z.array(
    z.object({
      actionUnit: z.int(),
      threshold: z.number(),
      origin: z.enum(["convention", "validation"]),
      note: z.string(),
    }),
  ),
  /** Figures of the training's own validation, by name. */
  metrics: z.record(z.string(), z.number()),
  intendedUse: z.string(),
  limitations: z.string(),
  /** The attempt that made it. */
  lineage: z.object({ job: z.string(), attempt: z.int() }),
});
/** What a model version says of itself. */
export type ModelCard = z.output<typeof modelCardSchema>;
