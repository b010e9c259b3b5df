import { createBatchOrder } from "@duchenne/data";
import type { Optimization, StepPlan } from "./recipes/optimization.ts";

/** Which samples a training goes over, and in what order. */
export interface StepLoaderOptions {
  /** Indices of the training part. */
  readonly samples: Uint32Array;
  readonly plan: StepPlan & { readonly recipe: { readonly optimization: Optimization } };
}

/**
 * Cuts a training part into the micro-batches of each step: a pure function of the seed and the step, so that a resumed
 * training sees the order of one that never stopped. Those left over at an epoch's end are dropped.
 *
 * @param read makes a micro-batch of samples
 */
export function createStepLoader<B>(
  { samples, plan: { stepsPerEpoch, recipe } }: StepLoaderOptions,
  read: (samples: Uint32Array, epoch: number, index: number) => Promise<B>,
): (step: number) => Promise<B[]> {
  const { batchSize, accumulationSteps, shuffle, seed } = recipe.optimization;
  const isOneOrder = shuffle === "once";
  const order = createBatchOrder({
    count: samples.length,
    batchSize,
    seed: isOneOrder ? 0 : seed,
    shuffle: shuffle !== "off",
    dropLast: true,
  });
  return (step) => {
    const epoch = Math.floor(step / stepsPerEpoch);
    const first = (step % stepsPerEpoch) * accumulationSteps;
    return Promise.all(
      Array.from({ length: accumulationSteps }, (_, i) => {
        const positions = order.batch(isOneOrder ? 0 : epoch, first + i);
        return read(
          positions.map((position) => samples[position]!),
          epoch,
          first + i,
        );
      }),
    );
  };
}
