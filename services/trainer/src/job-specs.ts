import { synthFacsSchema } from "@duchenne/data";
import { fineTuneRecipeSchema, linearProbeRecipeSchema } from "@duchenne/training/recipes";
import { z } from "zod";

/** What a fine-tune job is made from. */
export const fineTuneSpecSchema = z.object({
  /** "datasets/{dataset}". */
  dataset: z.string(),
  /** "models/{model}" that gets a version. */
  model: z.string(),
  recipe: fineTuneRecipeSchema,
});

/** What a probe job is made from. */
export const linearProbeSpecSchema = z.object({
  dataset: z.string(),
  /** "models/{model}/versions/{version}". */
  modelVersion: z.string(),
  recipe: linearProbeRecipeSchema,
});

/** What a synthesis job is made from. */
export const synthesizeSpecSchema = z.object({
  dataset: z.string(),
  synthesis: synthFacsSchema,
});
