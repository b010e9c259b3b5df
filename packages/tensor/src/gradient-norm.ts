import type { Tensor } from "@tensorflow/tfjs";
import type { TensorFlow } from "./tensorflow.ts";

/** The joint L2 norm of tensors, a scalar. */
export function globalNorm(tf: TensorFlow, tensors: Iterable<Tensor>): Tensor {
  return tf.tidy(() => {
    const squares = Array.from(tensors, (tensor) => tensor.square().sum());
    return squares.length === 0 ? tf.scalar(0) : tf.addN(squares).sqrt();
  });
}

/** Gradients scaled down to a joint norm. */
export interface ClippedGradients {
  readonly gradients: Record<string, Tensor>;
  /** The joint norm before, a scalar. */
  readonly norm: Tensor;
}

/**
 * Scales gradients down to a joint L2 norm, as PyTorch's clip_grad_norm_ does: by min(1, maxNorm / (norm + 1e-6)). Gradients
 * that are no numbers stay so.
 *
 * @param maxNorm a number, or a scalar tensor that can change without a new recording
 */
export function clipByGlobalNorm(
  tf: TensorFlow,
  gradients: Readonly<Record<string, Tensor>>,
  maxNorm: number | Tensor,
): ClippedGradients {
  const norm = globalNorm(tf, Object.values(gradients));
  const scale = tf.tidy(() => tf.minimum(1, tf.div(maxNorm, norm.add(1e-6))));
  const clipped = Object.entries(gradients).map(([name, gradient]) => [name, gradient.mul(scale)] as const);
  scale.dispose();
  return { gradients: Object.fromEntries(clipped), norm };
}
