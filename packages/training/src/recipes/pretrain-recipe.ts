import type { Dataset } from "@duchenne/data";
import { createMaeConfig, type EncoderShape, type MaeConfig } from "@duchenne/model";
import { z } from "zod";
import { augmentationNameSchema } from "./augmentation.ts";
import { encoderDefaults, encoderSchema, encoderViolations, shapeFrom } from "./encoder.ts";
import { FINE_TUNE_OPTIMIZATION, optimizationSchema, planSteps, type StepPlan } from "./optimization.ts";
import { planParts, splitDefaults, splitSchema } from "./parts.ts";
import { parseRecipe, RecipeError } from "./recipe-error.ts";
import { type Partially, withDefaults } from "./with-defaults.ts";

/** A masked autoencoder's pretraining, complete. */
export const pretrainRecipeSchema = z.object({
  encoder: encoderSchema,
  /** The subjects that are left out; absent: none. */
  split: splitSchema.optional(),
  augmentation: augmentationNameSchema,
  /** Share of the patches that are hidden. */
  maskRatio: z.number().gt(0).lt(1),
  /** Standardises each target patch by its own mean and variance. */
  normPixLoss: z.boolean(),
  optimization: optimizationSchema,
});
/** A masked autoencoder's pretraining, complete. */
export type PretrainRecipe = Readonly<z.output<typeof pretrainRecipeSchema>>;

/** A recipe on a data set: all that is fixed before the first step. */
export interface PretrainPlan extends StepPlan {
  readonly recipe: PretrainRecipe;
  readonly config: MaeConfig;
  readonly train: Uint32Array;
}

/** As published (1.5 of the behavioural specification): 50 epochs at an effective batch of 512. */
const DEFAULTS = {
  augmentation: "flip",
  maskRatio: 0.75,
  normPixLoss: true,
  optimization: {
    ...FINE_TUNE_OPTIMIZATION,
    epochs: 50,
    warmupEpochs: 2,
    batchSize: 256,
    accumulationSteps: 2,
    baseLearningRate: 1.5e-4,
    minLearningRate: 0,
    layerDecay: 1,
    beta2: 0.95,
    keep: "last",
    gradientNormsEverySteps: 0,
  },
};

/**
 * Plans a pretraining.
 *
 * @param initial the encoder that the training starts from
 * @throws {RecipeError} when the recipe is impossible on this data set
 * @throws {SplitError} when the data set does not allow the split
 */
export function planPretrain(value: Partially<PretrainRecipe>, dataset: Dataset, initial?: EncoderShape): PretrainPlan {
  const encoder = encoderDefaults(value.encoder, { initial, dropPath: 0 });
  const split = value.split === undefined ? {} : { split: splitDefaults(value.split, dataset, 0) };
  const recipe = parseRecipe(pretrainRecipeSchema, withDefaults({ ...DEFAULTS, ...split, encoder }, value));
  const { dropPath } = recipe.encoder;
  const violations = encoderViolations(recipe.encoder, initial);
  if (dropPath !== 0) {
    violations.push({ field: "encoder.dropPath", description: `Expected 0: pretraining has none, got ${dropPath}` });
  }
  if (recipe.optimization.keep === "best") {
    const description = 'Expected "last": pretraining has no validation';
    violations.push({ field: "optimization.keep", description });
  }
  const train =
    recipe.split === undefined
      ? Uint32Array.from(dataset.samples.keys())
      : planParts(dataset, recipe.split, recipe.optimization.seed).train;
  const steps = planSteps(recipe.optimization, train.length, violations);
  if (violations.length > 0) throw new RecipeError(violations);
  return { recipe, config: createMaeConfig(shapeFrom(recipe.encoder, initial)), train, ...steps };
}
