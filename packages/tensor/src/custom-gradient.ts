import type { Tensor } from "@tensorflow/tfjs";
import type { TensorFlow } from "./tensorflow.ts";

/** An operation with its own gradient. */
export interface CustomOperation<I extends readonly Tensor[]> {
  /** Computes the value; what the gradient needs is saved, for all else is gone by then. */
  forward(inputs: I, save: (tensors: Tensor[]) => void): Tensor;
  /** The gradient with respect to each input, from that of the value. */
  backward(dy: Tensor, saved: readonly Tensor[]): Tensor | Tensor[];
}

/**
 * Runs an operation that brings its own gradient. tf.customGrad hands inputs and `save` over in one untyped list; this is
 * the one place that says what they are.
 */
export function withCustomGradient<I extends readonly Tensor[]>(
  tf: TensorFlow,
  { forward, backward }: CustomOperation<I>,
  ...inputs: I
): Tensor {
  const operation = tf.customGrad((...handed) => {
    const save = handed.at(-1) as unknown as (tensors: Tensor[]) => void;
    return {
      value: forward(handed.slice(0, -1) as unknown as I, save),
      gradFunc: (dy, saved) => backward(dy, saved),
    };
  });
  return operation(...inputs);
}
