import { type Dataset, type Split, splitWithinSubject } from "@duchenne/data";
import { z } from "zod";
import { augmentationNameSchema } from "./augmentation.ts";
import { FINE_TUNE_OPTIMIZATION, optimizationSchema, planSteps, type StepPlan } from "./optimization.ts";
import { presetSchema } from "./presets.ts";
import { parseRecipe, RecipeError, type Violation } from "./recipe-error.ts";
import { type Partially, withDefaults } from "./with-defaults.ts";

/** An identity probe, complete. How a probe is trained decides what it says. */
export const linearProbeRecipeSchema = z.object({
  preset: presetSchema,
  /**
   * "frozen": features are computed once, without augmentation. "train_mode", as published: stochastic depth and
   * augmentation stay on while the probe is trained.
   */
  backbone: z.enum(["frozen", "train_mode"]),
  /** Linear layers of the probe, 1 to 3; several halve their width, with GELU between them. */
  layers: z.union([z.literal(1), z.literal(2), z.literal(3)]),
  /** Share of each subject's frames that is held out. */
  testFraction: z.number().gt(0).lt(1),
  /** Frames of each subject that are used, training and test together; absent: all. */
  framesPerSubject: z.int().min(2).optional(),
  augmentation: augmentationNameSchema,
  optimization: optimizationSchema,
});
/** An identity probe, complete. */
export type LinearProbeRecipe = Readonly<z.output<typeof linearProbeRecipeSchema>>;

/** A probe on a data set. */
export interface LinearProbePlan extends StepPlan {
  readonly recipe: LinearProbeRecipe;
  readonly split: Split;
}

/**
 * As published (1.14 of the behavioural specification): 20 epochs at a base rate of 2e-4, on a hundred thousand frames.
 * The recommended probe is trained on clean features until it no longer gains, also on small sets.
 */
const PUBLISHED = { epochs: 20, warmupEpochs: 2, baseLearningRate: 2e-4 };
const THOROUGH = { epochs: 100, warmupEpochs: 10, baseLearningRate: 0.05, minLearningRate: 0, weightDecay: 0 };

/** Plans a probe. @throws {RecipeError} when the recipe is impossible on this data set */
export function planLinearProbe(
  value: Partially<LinearProbeRecipe>,
  dataset: Pick<Dataset, "subjects" | "samples">,
): LinearProbePlan {
  const preset = value.preset ?? "recommended";
  const isPaper = preset === "paper";
  const defaults = {
    preset,
    backbone: isPaper ? "train_mode" : "frozen",
    layers: 1,
    testFraction: 0.3,
    augmentation: isPaper ? "paper" : "none",
    optimization: {
      ...FINE_TUNE_OPTIMIZATION,
      ...(isPaper ? { ...PUBLISHED, shuffle: "once" } : THOROUGH),
      layerDecay: 1,
      keep: "last",
      gradientNormsEverySteps: 0,
    },
  };
  const recipe = parseRecipe(linearProbeRecipeSchema, withDefaults(defaults, value));
  const { optimization, testFraction, framesPerSubject } = recipe;
  const split = splitWithinSubject(dataset, { testFraction, framesPerSubject, seed: optimization.seed });
  const violations: Violation[] = [];
  if (recipe.backbone === "frozen" && recipe.augmentation !== "none") {
    const description = 'Expected "none" for frozen features, or a backbone in train mode';
    violations.push({ field: "augmentation", description });
  }
  const tested = new Set(Array.from(split.test, (index) => dataset.samples[index]!.subjectIndex)).size;
  if (tested < 2) {
    const description = `Expected at least 2 subjects with 2 frames each, got ${tested} such`;
    throw new RecipeError([...violations, { field: "dataset", description }]);
  }
  const steps = planSteps(optimization, split.train.length, violations);
  if (violations.length > 0) throw new RecipeError(violations);
  return { recipe, split, ...steps };
}
