import { type Dataset, type Split, splitBySubject } from "@duchenne/data";
import { createModelConfig, type ModelConfig, VIT_VARIANT_NAMES } from "@duchenne/model";
import { z } from "zod";
import { parseRecipe, RecipeError } from "./recipe-error.ts";

/** An action unit fine-tune. The defaults are those of the paper's adversarial recipe, but for batch and length. */
export const fineTuneRecipeSchema = z
  .object({
    /** The encoder. */
    variant: z.enum(VIT_VARIANT_NAMES).default("micro"),
    /** Strength of the gradient reversal; 0: no identity head at all. */
    lambda: z.number().min(0).max(100).default(1),
    /** The identity head's loss; "bce" as published. */
    identityLoss: z.enum(["bce", "ce"]).default("bce"),
    /** Labels that are not known: left out of the loss, or taken as "absent" as published. */
    unknownLabels: z.enum(["masked", "negative"]).default("masked"),
    /** Linear layers of the identity head, 1 to 3. */
    identityLayers: z.union([z.literal(1), z.literal(2), z.literal(3)]).default(1),
    /** Passes over the training part. */
    epochs: z.int().min(1).max(10_000).default(20),
    /** Passes of linear warm-up. */
    warmupEpochs: z.number().min(0).default(2),
    /** Images a pass. */
    batchSize: z.int().min(1).max(4096).default(32),
    /** Passes a step: their gradients add up to that of one large batch. */
    accumulationSteps: z.int().min(1).max(1024).default(1),
    /** Largest joint L2 norm of the gradients; 0: any. */
    clipGradientNorm: z.number().min(0).default(0),
    /** Learning rate per 256 images. */
    baseLearningRate: z.number().gt(0).max(10).default(5e-4),
    /** The floor of the cosine schedule. */
    minLearningRate: z.number().min(0).max(10).default(1e-6),
    /** Learning rate factor from one layer to the one below it. */
    layerDecay: z.number().gt(0).max(1).default(0.65),
    /** Decoupled weight decay. */
    weightDecay: z.number().min(0).max(1).default(0.05),
    /** Stochastic depth of the last block. */
    dropPath: z.number().min(0).lt(1).default(0.1),
    /** Mirrors half of the images. */
    horizontalFlip: z.boolean().default(true),
    /** Share of the subjects that is held out. */
    testFraction: z.number().gt(0).lt(1).default(0.25),
    /** Seed of everything random. */
    seed: z.int().min(0).default(0),
    /** Steps between checkpoints. */
    checkpointEverySteps: z.int().min(1).default(100),
  })
  .refine(({ epochs, warmupEpochs }) => warmupEpochs < epochs, {
    path: ["warmupEpochs"],
    message: "Expected fewer warm-up epochs than epochs",
  });
/** An action unit fine-tune, defaults filled in. */
export type FineTuneRecipe = Readonly<z.output<typeof fineTuneRecipeSchema>>;

/** A recipe on a data set: all that is fixed before the first step. */
export interface FineTunePlan {
  readonly recipe: FineTuneRecipe;
  readonly config: ModelConfig;
  readonly split: Split;
  readonly trainSubjects: readonly string[];
  readonly testSubjects: readonly string[];
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  /** After warm-up: baseLearningRate * batchSize * accumulationSteps / 256. */
  readonly peakLearningRate: number;
}

/** Plans a fine-tune. @throws {RecipeError} when the recipe is impossible on this data set */
export function planFineTune(value: z.input<typeof fineTuneRecipeSchema>, dataset: Dataset): FineTunePlan {
  const recipe = parseRecipe(fineTuneRecipeSchema, value);
  const violations: { field: string; description: string }[] = [];
  if (dataset.subjects.length < 2) {
    const description = `Expected a data set of at least 2 subjects to hold some out, got ${dataset.subjects.length}`;
    throw new RecipeError([{ field: "dataset", description }]);
  }
  const split = splitBySubject(dataset, recipe);
  const imagesPerStep = recipe.batchSize * recipe.accumulationSteps;
  if (split.train.length < imagesPerStep) {
    violations.push({
      field: recipe.accumulationSteps === 1 ? "batchSize" : "accumulationSteps",
      description: `Expected at most the ${split.train.length} frames of the training part, got ${imagesPerStep}`,
    });
  }
  for (const [unit, actionUnit] of dataset.actionUnits.entries()) {
    const labels = new Set(Array.from(split.train, (i) => dataset.samples[i]!.occurrence[unit]!));
    if (!labels.has(1) || !labels.has(0)) {
      violations.push({
        field: "dataset",
        description: `Expected frames with and without AU${actionUnit} in the training part, got only ${
          labels.has(1) ? "some with" : labels.has(0) ? "some without" : "unknown labels"
        }`,
      });
    }
  }
  if (violations.length > 0) throw new RecipeError(violations);
  const stepsPerEpoch = Math.floor(split.train.length / imagesPerStep);
  const subjectsOf = (indices: Uint32Array) =>
    [...new Set(Array.from(indices, (i) => dataset.samples[i]!.subject))].sort();
  return {
    recipe,
    config: createModelConfig(recipe.variant, {
      actionUnits: [...dataset.actionUnits],
      // As published, the identity vocabulary holds the subjects that are held out as well.
      numSubjects: recipe.lambda === 0 ? 0 : dataset.subjects.length,
      identityLayers: recipe.identityLayers,
      dropPath: recipe.dropPath,
    }),
    split,
    trainSubjects: subjectsOf(split.train),
    testSubjects: subjectsOf(split.test),
    stepsPerEpoch,
    totalSteps: stepsPerEpoch * recipe.epochs,
    peakLearningRate: (recipe.baseLearningRate * imagesPerStep) / 256,
  };
}
