import type { Tensor } from "@tensorflow/tfjs";
import { withCustomGradient } from "./custom-gradient.ts";
import { type Seed, statelessUniform } from "./random.ts";
import type { TensorFlow } from "./tensorflow.ts";

/**
 * Gradient reversal (Ganin and Lempitsky 2015): the identity forward, -lambda times the gradient backward.
 *
 * @param lambda constant; 0 stops the gradient
 */
export function gradientReversal(tf: TensorFlow, x: Tensor, lambda: number): Tensor {
  const operation = {
    forward: ([input]: readonly [Tensor]) => input.clone(),
    backward: (dy: Tensor) => dy.mul(-lambda),
  };
  return withCustomGradient<readonly [Tensor]>(tf, operation, x);
}

/**
 * Stochastic depth (Huang et al. 2016): drops whole samples and scales the survivors by 1 / (1 - rate).
 *
 * @param x [B, ...]
 * @param rate 0..1 (exclusive)
 * @param seed fixes which samples are dropped; as a tensor it may be an input of a compiled step
 * @param site tells apart the places of a step that share a seed
 */
export function dropPath(tf: TensorFlow, x: Tensor, rate: number, seed: Seed, site = 0): Tensor {
  if (rate === 0) return x;
  const shape = x.shape.map((size, axis) => (axis === 0 ? size : 1));
  const keep = statelessUniform(tf, shape, seed, site).greaterEqual(rate).cast("float32");
  return x.mul(keep.div(1 - rate));
}
