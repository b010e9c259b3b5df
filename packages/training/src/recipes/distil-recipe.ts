import type { Dataset } from "@duchenne/data";
import { createModelConfig, type EncoderShape, type ModelConfig } from "@duchenne/model";
import { z } from "zod";
import { augmentationNameSchema } from "./augmentation.ts";
import { encoderDefaults, encoderSchema, encoderViolations, shapeFrom } from "./encoder.ts";
import { FINE_TUNE_OPTIMIZATION, optimizationSchema, planSteps, type StepPlan } from "./optimization.ts";
import { type Parts, planParts, splitDefaults, splitSchema } from "./parts.ts";
import { parseRecipe, RecipeError } from "./recipe-error.ts";
import { type Partially, withDefaults } from "./with-defaults.ts";

/** A distillation, complete. */
export const distilRecipeSchema = z
  .object({
    encoder: encoderSchema,
    split: splitSchema,
    augmentation: augmentationNameSchema,
    /** Divides the logits of teacher and student before they are compared. */
    temperature: z.number().gt(0).max(100),
    /** Weight of the loss between answers. */
    logitsWeight: z.number().min(0),
    /** Weight of the loss between features. */
    featuresWeight: z.number().min(0),
    /** Weight of the loss against the data set's labels. */
    labelsWeight: z.number().min(0),
    optimization: optimizationSchema,
  })
  .refine(({ logitsWeight, featuresWeight, labelsWeight }) => logitsWeight + featuresWeight + labelsWeight > 0, {
    path: ["logitsWeight"],
    message: "Expected at least one weight above 0",
  });
/** A distillation, complete. */
export type DistilRecipe = Readonly<z.output<typeof distilRecipeSchema>>;

/** A recipe on a data set: all that is fixed before the first step. */
export interface DistilPlan extends StepPlan {
  readonly recipe: DistilRecipe;
  /** The student. */
  readonly config: ModelConfig;
  readonly parts: Parts;
}

const DEFAULTS = {
  augmentation: "flip",
  temperature: 2,
  logitsWeight: 1,
  featuresWeight: 1,
  labelsWeight: 0,
  optimization: { ...FINE_TUNE_OPTIMIZATION, layerDecay: 1, gradientNormsEverySteps: 0 },
};

/**
 * Plans a distillation. The student answers the teacher's action units; labels of others are not used, and of those that
 * the data set lacks there are none.
 *
 * @param teacher its configuration
 * @param initial the encoder that the student starts from
 * @throws {RecipeError} when the recipe is impossible on this data set
 * @throws {SplitError} when the data set does not allow the split
 */
export function planDistil(
  value: Partially<DistilRecipe>,
  dataset: Dataset,
  teacher: ModelConfig,
  initial?: EncoderShape,
): DistilPlan {
  const encoder = {
    ...encoderDefaults({ variant: "tiny", ...value.encoder }, { initial, dropPath: 0 }),
    imageSize: teacher.imageSize,
  };
  const recipe = parseRecipe(
    distilRecipeSchema,
    withDefaults({ ...DEFAULTS, encoder, split: splitDefaults(value.split, dataset, 0.15) }, value),
  );
  const { imageSize } = recipe.encoder;
  const violations = encoderViolations(recipe.encoder, initial);
  if (imageSize !== teacher.imageSize) {
    const description = `Expected the teacher's ${teacher.imageSize}, for both see the same images, got ${imageSize}`;
    violations.push({ field: "encoder.imageSize", description });
  }
  if (!teacher.actionUnits.some((actionUnit) => dataset.actionUnits.includes(actionUnit))) {
    const [known, labelled] = [teacher.actionUnits.join(", "), dataset.actionUnits.join(", ")];
    const description = `Expected labels of some of the teacher's AU ${known} to validate on, got AU ${labelled}`;
    violations.push({ field: "dataset", description });
  }
  const parts = planParts(dataset, recipe.split, recipe.optimization.seed);
  const steps = planSteps(recipe.optimization, parts.train.length, violations);
  if (violations.length > 0) throw new RecipeError(violations);
  const config = createModelConfig(shapeFrom(recipe.encoder, initial), {
    dropPath: recipe.encoder.dropPath,
    actionUnits: [...teacher.actionUnits],
    numSubjects: 0,
  });
  return { recipe, config, parts, ...steps };
}
