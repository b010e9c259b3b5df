import type { Dataset } from "@duchenne/data";
import { createModelConfig, type EncoderShape, type ModelConfig } from "@duchenne/model";
import { z } from "zod";
import { augmentationNameSchema } from "./augmentation.ts";
import { encoderDefaults, encoderSchema, encoderViolations, shapeFrom } from "./encoder.ts";
import { FINE_TUNE_OPTIMIZATION, optimizationSchema, planSteps, type StepPlan } from "./optimization.ts";
import { oneClassViolations, type Parts, planParts, splitDefaults, splitSchema } from "./parts.ts";
import { type Preset, presetSchema, publishedFineTune } from "./presets.ts";
import { parseRecipe, RecipeError } from "./recipe-error.ts";
import { type Partially, withDefaults } from "./with-defaults.ts";

/** An action unit fine-tune, complete. */
export const fineTuneRecipeSchema = z.object({
  preset: presetSchema,
  /** Strength of the gradient reversal; 0: no identity head at all. */
  lambda: z.number().min(0).max(100),
  /** The identity head's loss; "bce" as published. */
  identityLoss: z.enum(["bce", "ce"]),
  /** Linear layers of the identity head, 1 to 3. */
  identityLayers: z.union([z.literal(1), z.literal(2), z.literal(3)]),
  /** Labels that are not known: left out of the loss, or taken as "absent" as published. */
  unknownLabels: z.enum(["masked", "negative"]),
  encoder: encoderSchema,
  split: splitSchema,
  augmentation: augmentationNameSchema,
  optimization: optimizationSchema,
});
/** An action unit fine-tune, complete. */
export type FineTuneRecipe = Readonly<z.output<typeof fineTuneRecipeSchema>>;

/** A recipe on a data set: all that is fixed before the first step. */
export interface FineTunePlan extends StepPlan {
  readonly recipe: FineTuneRecipe;
  readonly config: ModelConfig;
  readonly parts: Parts;
}

/**
 * Plans a fine-tune; what the recipe leaves out comes from its preset.
 *
 * @param initial the encoder that the training starts from
 * @throws {RecipeError} when the recipe is impossible on this data set
 * @throws {SplitError} when the data set does not allow the split
 */
export function planFineTune(value: Partially<FineTuneRecipe>, dataset: Dataset, initial?: EncoderShape): FineTunePlan {
  const recipe = parseRecipe(fineTuneRecipeSchema, withDefaults(defaultsOf(value, dataset, initial), value));
  const { encoder, optimization, split, unknownLabels } = recipe;
  if (dataset.actionUnits.length === 0) {
    const description = "Expected a data set with action unit labels, it has none";
    throw new RecipeError([{ field: "dataset", description }]);
  }
  const violations = encoderViolations(encoder, initial);
  if (recipe.lambda > 0 && dataset.subjects.length === 0) {
    const description = `Expected 0 for a data set without subjects, got ${recipe.lambda}`;
    violations.push({ field: "lambda", description });
  }
  const parts = planParts(dataset, split, optimization.seed);
  const steps = planSteps(optimization, parts.train.length, violations);
  violations.push(...oneClassViolations(dataset, parts.train, unknownLabels));
  if (violations.length > 0) throw new RecipeError(violations);
  const config = createModelConfig(shapeFrom(encoder, initial), {
    dropPath: encoder.dropPath,
    actionUnits: [...dataset.actionUnits],
    // As published, the identity vocabulary holds the subjects that are held out as well.
    numSubjects: recipe.lambda === 0 ? 0 : dataset.subjects.length,
    identityLayers: recipe.identityLayers,
  });
  return { recipe, config, parts, ...steps };
}

function defaultsOf(value: Partially<FineTuneRecipe>, dataset: Dataset, initial: EncoderShape | undefined): object {
  const preset: Preset = value.preset ?? "recommended";
  const published = publishedFineTune(dataset.protocol, value.lambda);
  const isPaper = preset === "paper";
  return {
    preset,
    lambda: published.lambda,
    identityLoss: "bce",
    identityLayers: 1,
    unknownLabels: isPaper ? "negative" : "masked",
    encoder: encoderDefaults(value.encoder, { initial, dropPath: 0.1 }),
    split: splitDefaults(value.split, dataset, isPaper ? 0 : 0.15),
    augmentation: "paper",
    optimization: {
      ...FINE_TUNE_OPTIMIZATION,
      ...published.optimization,
      ...(isPaper && { shuffle: "once" }),
    },
  };
}
