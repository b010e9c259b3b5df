import { type Dataset, type Split, splitWithinSubject } from "@duchenne/data";
import { z } from "zod";
import { parseRecipe, RecipeError } from "./recipe-error.ts";

/**
 * An identity probe on frozen features. How a probe is trained decides what it says: the paper trains 20 epochs at a base
 * rate of 2e-4 on a hundred thousand frames; the defaults here reach the same number of updates' effect on small sets.
 */
export const linearProbeRecipeSchema = z.object({
  /** Passes over the training part. */
  epochs: z.int().min(1).max(10_000).default(100),
  /** Images a step. */
  batchSize: z.int().min(1).max(4096).default(64),
  /** Learning rate per 256 images. */
  baseLearningRate: z.number().gt(0).max(10).default(0.05),
  /** Share of each subject's frames that is held out. */
  testFraction: z.number().gt(0).lt(1).default(0.3),
  /** Seed of everything random. */
  seed: z.int().min(0).default(0),
});
/** An identity probe, defaults filled in. */
export type LinearProbeRecipe = Readonly<z.output<typeof linearProbeRecipeSchema>>;

/** A probe on a data set. */
export interface LinearProbePlan {
  readonly recipe: LinearProbeRecipe;
  readonly split: Split;
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
}

/** Plans a probe. @throws {RecipeError} when the recipe is impossible on this data set */
export function planLinearProbe(
  value: z.input<typeof linearProbeRecipeSchema>,
  dataset: Pick<Dataset, "subjects" | "samples">,
): LinearProbePlan {
  const recipe = parseRecipe(linearProbeRecipeSchema, value);
  const split = splitWithinSubject(dataset, recipe);
  const violations: { field: string; description: string }[] = [];
  if (dataset.subjects.length < 2 || split.test.length === 0) {
    const description = `Expected at least 2 subjects with 2 frames each, got ${dataset.subjects.length} subjects`;
    violations.push({ field: "dataset", description });
  } else if (split.train.length < recipe.batchSize) {
    violations.push({
      field: "batchSize",
      description: `Expected at most the ${split.train.length} frames of the training part, got ${recipe.batchSize}`,
    });
  }
  if (violations.length > 0) throw new RecipeError(violations);
  const stepsPerEpoch = Math.floor(split.train.length / recipe.batchSize);
  return { recipe, split, stepsPerEpoch, totalSteps: stepsPerEpoch * recipe.epochs };
}
