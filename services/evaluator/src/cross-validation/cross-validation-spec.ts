import { z } from "zod";

/** What a cross-validation job is made from; its children are made from the same. */
export const crossValidationSpecSchema = z.object({
  /** "datasets/{dataset}". */
  dataset: z.string(),
  /** "models/{model}" that gets a version for each fold and seed. */
  model: z.string(),
  /** The recipe of its trainings, complete but for fold and seed. */
  recipe: z.record(z.string(), z.json()),
  folds: z.int(),
  seeds: z.array(z.int()),
  /** Of the evaluations and of the report that combines them. */
  evaluation: z.object({ identityLeakage: z.boolean(), seed: z.int(), resamples: z.int() }),
  /** How the children are run. */
  jobOptions: z.object({
    timeLimitMs: z.number().optional(),
    after: z.array(z.string()),
    resources: z.record(z.string(), z.int()),
    evaluationResources: z.record(z.string(), z.int()),
  }),
});
/** What a cross-validation job is made from. */
export type CrossValidationSpec = z.output<typeof crossValidationSpecSchema>;
