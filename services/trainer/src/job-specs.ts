import { synthFacsSchema } from "@duchenne/data";
import {
  distilRecipeSchema,
  expressionRecipeSchema,
  fineTuneRecipeSchema,
  linearProbeRecipeSchema,
  pretrainRecipeSchema,
} from "@duchenne/training/recipes";
import { z } from "zod";

const trainingSpec = <R extends z.ZodType>(recipe: R) =>
  z.object({
    /** "datasets/{dataset}". */
    dataset: z.string(),
    /** "models/{model}" that gets a version. */
    model: z.string(),
    recipe,
  });

/** What an action unit fine-tune is made from. */
export const fineTuneSpecSchema = trainingSpec(fineTuneRecipeSchema);
/** What a pretraining is made from. */
export const pretrainSpecSchema = trainingSpec(pretrainRecipeSchema);
/** What an expression fine-tune is made from. */
export const expressionSpecSchema = trainingSpec(expressionRecipeSchema);
/** What a distillation is made from. */
export const distilSpecSchema = trainingSpec(distilRecipeSchema).extend({
  /** "models/{model}/versions/{version}". */
  teacherModelVersion: z.string(),
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
