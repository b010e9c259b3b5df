import type { Dataset } from "@duchenne/data";
import { createExpressionConfig, type EncoderShape, type ExpressionConfig } from "@duchenne/model";
import { z } from "zod";
import { augmentationNameSchema } from "./augmentation.ts";
import { encoderDefaults, encoderSchema, encoderViolations, shapeFrom } from "./encoder.ts";
import { FINE_TUNE_OPTIMIZATION, optimizationSchema, planSteps, type StepPlan } from "./optimization.ts";
import { type Parts, partsOf, planParts, splitDefaults, splitSchema } from "./parts.ts";
import { presetSchema, publishedExpression } from "./presets.ts";
import { parseRecipe, RecipeError } from "./recipe-error.ts";
import { type Partially, withDefaults } from "./with-defaults.ts";

/** An expression fine-tune, complete. */
export const expressionRecipeSchema = z.object({
  preset: presetSchema,
  encoder: encoderSchema,
  split: splitSchema,
  augmentation: augmentationNameSchema,
  optimization: optimizationSchema,
});
/** An expression fine-tune, complete. */
export type ExpressionRecipe = Readonly<z.output<typeof expressionRecipeSchema>>;

/** A recipe on a data set: all that is fixed before the first step. */
export interface ExpressionPlan extends StepPlan {
  readonly recipe: ExpressionRecipe;
  readonly config: ExpressionConfig;
  /** Of the frames whose expression is known. */
  readonly parts: Parts;
}

/**
 * Plans an expression fine-tune; what the recipe leaves out comes from its preset.
 *
 * @param initial the encoder that the training starts from
 * @throws {RecipeError} when the recipe is impossible on this data set
 * @throws {SplitError} when the data set does not allow the split
 */
export function planExpression(
  value: Partially<ExpressionRecipe>,
  dataset: Dataset,
  initial?: EncoderShape,
): ExpressionPlan {
  const preset = value.preset ?? "recommended";
  const isPaper = preset === "paper";
  const defaults = {
    preset,
    encoder: encoderDefaults(value.encoder, { initial, dropPath: 0.1 }),
    split: splitDefaults(value.split, dataset, isPaper ? 0 : 0.15),
    augmentation: "paper",
    optimization: {
      ...FINE_TUNE_OPTIMIZATION,
      ...publishedExpression(dataset.protocol),
      ...(isPaper && { shuffle: "once" }),
      gradientNormsEverySteps: 0,
    },
  };
  const recipe = parseRecipe(expressionRecipeSchema, withDefaults(defaults, value));
  const { expressions } = dataset;
  if (expressions === undefined) {
    const description = "Expected a data set with expression labels, it has none";
    throw new RecipeError([{ field: "dataset", description }]);
  }
  const violations = encoderViolations(recipe.encoder, initial);
  const parts = partsOf(
    planParts(dataset, recipe.split, recipe.optimization.seed),
    (sample) => dataset.samples[sample]!.expression >= 0,
  );
  const steps = planSteps(recipe.optimization, parts.train.length, violations);
  const shown = new Set(Array.from(parts.train, (sample) => dataset.samples[sample]!.expression));
  if (shown.size < 2) {
    const description = `Expected at least two expressions in the training part, got ${shown.size}`;
    violations.push({ field: "dataset", description });
  }
  if (violations.length > 0) throw new RecipeError(violations);
  const config = createExpressionConfig(shapeFrom(recipe.encoder, initial), {
    dropPath: recipe.encoder.dropPath,
    expressions: [...expressions],
  });
  return { recipe, config, parts, ...steps };
}
