import { z } from "zod";
import type { Violation } from "./recipe-error.ts";

/** How weights are updated. */
export const optimizationSchema = z
  .object({
    /** Passes over the training part. */
    epochs: z.int().min(1).max(10_000),
    /** Passes of linear warm-up. */
    warmupEpochs: z.number().min(0),
    /** Images a pass. */
    batchSize: z.int().min(1).max(4096),
    /** Passes a step: their gradients add up to that of one large batch. */
    accumulationSteps: z.int().min(1).max(1024),
    /** Learning rate per 256 images. */
    baseLearningRate: z.number().gt(0).max(10),
    /** The floor of the cosine schedule. */
    minLearningRate: z.number().min(0).max(10),
    /** Learning rate factor from one layer to the one below it. */
    layerDecay: z.number().gt(0).max(1),
    /** Decoupled weight decay. */
    weightDecay: z.number().min(0).max(1),
    /** Decay of the second moment's average; the first's is 0.9. */
    beta2: z.number().gt(0).lt(1),
    /** Largest joint L2 norm of the gradients; 0: any. */
    clipGradientNorm: z.number().min(0),
    /** Decay of an exponential moving average of the weights, which is then validated and published; 0: none. */
    emaDecay: z.number().min(0).lt(1),
    /** Another order each epoch; one order for all epochs whatever the seed, as published; the data set's order. */
    shuffle: z.enum(["per_epoch", "once", "off"]),
    /** Publish the weights of the epoch with the best validation figure, or those after the last step. */
    keep: z.enum(["best", "last"]),
    /** Epochs without a better validation figure after which to stop; 0: never. */
    patience: z.int().min(0),
    /** Seed of everything random. */
    seed: z.int().min(0),
    /** Steps between checkpoints; 0: one at the end of each epoch. */
    checkpointEverySteps: z.int().min(0),
    /** Steps between metrics events. */
    metricsEverySteps: z.int().min(1),
    /** Steps between measurements of the gradients of both losses at the backbone; 0: never. */
    gradientNormsEverySteps: z.int().min(0),
    /** What matrix products are computed in; weights, moments, averages, statistics, losses and validation are float32. */
    precision: z.enum(["float32", "bfloat16"]),
  })
  .refine(({ epochs, warmupEpochs }) => warmupEpochs < epochs, {
    path: ["warmupEpochs"],
    message: "Expected fewer warm-up epochs than epochs",
  });
/** How weights are updated. */
export type Optimization = Readonly<z.output<typeof optimizationSchema>>;
/** What matrix products are computed in. */
export type Precision = Optimization["precision"];

/** The published fine-tunes' common part (1.11 of the behavioural specification). */
export const FINE_TUNE_OPTIMIZATION: Optimization = {
  epochs: 20,
  warmupEpochs: 2,
  batchSize: 64,
  accumulationSteps: 1,
  baseLearningRate: 5e-4,
  minLearningRate: 1e-6,
  layerDecay: 0.65,
  weightDecay: 0.05,
  beta2: 0.999,
  clipGradientNorm: 0,
  emaDecay: 0,
  shuffle: "per_epoch",
  keep: "best",
  patience: 0,
  seed: 0,
  checkpointEverySteps: 0,
  metricsEverySteps: 1,
  gradientNormsEverySteps: 20,
  precision: "float32",
};

/** The length of a training, fixed before its first step. */
export interface StepPlan {
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  /** After warm-up: baseLearningRate * batchSize * accumulationSteps / 256. */
  readonly peakLearningRate: number;
}

/** Counts the steps; a training part that fills none is a violation. */
export function planSteps(optimization: Optimization, frames: number, violations: Violation[]): StepPlan {
  const { batchSize, accumulationSteps, epochs, baseLearningRate } = optimization;
  const imagesPerStep = batchSize * accumulationSteps;
  if (frames < imagesPerStep) {
    violations.push({
      field: `optimization.${accumulationSteps === 1 ? "batchSize" : "accumulationSteps"}`,
      description: `Expected at most the ${frames} frames of the training part, got ${imagesPerStep}`,
    });
  }
  const stepsPerEpoch = Math.floor(frames / imagesPerStep);
  return {
    stepsPerEpoch,
    totalSteps: stepsPerEpoch * epochs,
    peakLearningRate: (baseLearningRate * imagesPerStep) / 256,
  };
}
