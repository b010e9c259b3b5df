import type { Tensor } from "@tensorflow/tfjs";
import { backendOf } from "../backend.ts";
import { rawOp } from "../raw-op.ts";
import type { TensorFlow } from "../tensorflow.ts";
import { usesFusedKernels } from "./kernel-library.ts";

/** The parameters of a step of AdamW; lists stand in the same order. */
export interface AdamWParameters {
  readonly weights: readonly Tensor[];
  readonly firstMoments: readonly Tensor[];
  readonly secondMoments: readonly Tensor[];
  readonly gradients: readonly Tensor[];
  /** The row of `factors` of each parameter. */
  readonly groups: readonly number[];
  /** [G, 3]: rate / (1 - beta1^t), 1 - rate * decay, sqrt(1 - beta2^t). */
  readonly factors: Tensor;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** What replaces weights and moments. */
export type AdamWResult = Pick<AdamWParameters, "weights" | "firstMoments" | "secondMoments">;

/**
 * One step of AdamW (Loshchilov and Hutter 2019) in PyTorch's form. Fused and recorded, it works IN PLACE, for weights and
 * moments would otherwise stand in memory twice: `compile` sees to it that nobody else reads that memory. Eagerly it works on
 * copies.
 */
export function adamwUpdate(tf: TensorFlow, parameters: AdamWParameters): AdamWResult {
  const { weights, firstMoments, secondMoments, gradients, groups, factors, beta1, beta2, epsilon } = parameters;
  const count = weights.length;
  if (usesFusedKernels(tf, "adamw")) {
    const given = [...weights, ...firstMoments, ...secondMoments];
    const isRecorded = backendOf(tf).recorder !== undefined;
    const overwritten = isRecorded ? given : given.map((each) => copyOf(tf, each));
    const complements = { complement1: 1 - beta1, complement2: 1 - beta2 };
    const attributes = { N: count, overwrites: 3 * count, group: groups, beta1, beta2, ...complements, epsilon };
    const results = rawOp(tf, "DuchenneAdamW", [...overwritten, ...gradients, factors], attributes, 3 * count);
    if (!isRecorded) tf.dispose(overwritten);
    return {
      weights: results.slice(0, count),
      firstMoments: results.slice(count, 2 * count),
      secondMoments: results.slice(2 * count),
    };
  }
  const results = weights.map((weight, i) => {
    const [rate, keep, correction] = tf.unstack(factors.slice([groups[i]!, 0], [1, 3]).reshape([3])) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    const first = firstMoments[i]!.mul(beta1).add(gradients[i]!.mul(1 - beta1));
    const second = secondMoments[i]!.mul(beta2).add(gradients[i]!.square().mul(1 - beta2));
    const change = first.div(second.sqrt().div(correction).add(epsilon)).mul(rate);
    return { weight: weight.mul(keep).sub(change), first, second };
  });
  return {
    weights: results.map(({ weight }) => weight),
    firstMoments: results.map(({ first }) => first),
    secondMoments: results.map(({ second }) => second),
  };
}

/** A tensor of the same values in memory of its own; it has no gradient. */
export function copyOf(tf: TensorFlow, x: Tensor): Tensor {
  return rawOp(tf, "DeepCopy", [x])[0];
}
