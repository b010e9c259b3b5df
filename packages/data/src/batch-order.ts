import { createRandom } from "./random.ts";

/** How to cut a list into batches. */
export interface BatchOrderOptions {
  /** Length of the list. */
  readonly count: number;
  readonly batchSize: number;
  readonly seed: number;
  /** A new permutation each epoch; otherwise the list's order. */
  readonly shuffle: boolean;
  /** Leave out a last batch that is not full. */
  readonly dropLast: boolean;
}

/** The batches of each epoch. */
export interface BatchOrder {
  readonly batchesPerEpoch: number;
  /** Positions in the list of one batch: a pure function of the options, the epoch and the batch, so that a resumed
   *  training sees the order of one that never stopped. */
  batch(epoch: number, index: number): Uint32Array;
}

/** Cuts `count` positions into batches. */
export function createBatchOrder({ count, batchSize, seed, shuffle, dropLast }: BatchOrderOptions): BatchOrder {
  let cached: { epoch: number; order: Uint32Array } | undefined;
  function order(epoch: number): Uint32Array {
    if (cached?.epoch !== epoch) {
      cached = {
        epoch,
        order: shuffle
          ? createRandom([seed, "batch-order", epoch]).permutation(count)
          : Uint32Array.from({ length: count }, (_, i) => i),
      };
    }
    return cached.order;
  }
  return {
    batchesPerEpoch: dropLast ? Math.floor(count / batchSize) : Math.ceil(count / batchSize),
    batch: (epoch, index) => order(epoch).slice(index * batchSize, (index + 1) * batchSize),
  };
}
