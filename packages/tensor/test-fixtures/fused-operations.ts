import type { Tensor } from "@tensorflow/tfjs";
import {
  attention,
  gelu,
  layerNorm,
  linear,
  residualAttention,
  residualMlp,
  type TensorFlow,
  withoutFusedKernels,
} from "../src/index.ts";

/** Numbers without a pattern, the same in every run, of about `size`. */
export function values(tf: TensorFlow, shape: readonly number[], phase: number, size = 1): Tensor {
  const length = shape.reduce((product, side) => product * side, 1);
  const data = Float32Array.from({ length }, (_, i) => size * (Math.sin(1.7 * i + phase) + 0.3 * Math.cos(phase * i)));
  return tf.tensor(data, [...shape]);
}

/** The L2 norm of a difference against that of what was expected. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  const difference = Array.from(expected, (value, i) => actual[i]! - value);
  return Math.hypot(...difference) / Math.max(Math.hypot(...Array.from(expected)), 1e-12);
}

/** A fused operation with what it is tried on. */
export interface Operation {
  readonly name: string;
  readonly f: (...inputs: Tensor[]) => Tensor;
  readonly inputs: () => Tensor[];
}

/** An operation's value and the gradients of sum(value * weights), weights without a pattern. */
export interface ValueAndGradients {
  readonly value: Float32Array;
  readonly gradients: readonly Float32Array[];
}

export function valueAndGradients(tf: TensorFlow, { f, inputs }: Operation): ValueAndGradients {
  const scope = tf.engine();
  scope.startScope();
  try {
    const given = inputs();
    const gradients = tf.grads((...args: Tensor[]) => f(...args).mul(weightsOf(tf, f(...given))).sum())(given); // biome-ignore format: one line
    return { value: numbers(f(...given)), gradients: gradients.map(numbers) };
  } finally {
    scope.endScope();
  }
}

/** What composed operations answer, and how near to it fused ones have to come: relative errors. */
export interface Expectation {
  readonly composed: ValueAndGradients;
  readonly valueLimit: number;
  readonly gradientLimits: readonly number[];
}

/**
 * Runs the composition. A limit is a few units in the last place, or, where terms cancel, four times what another rounding
 * of the inputs makes of the composition itself: no two ways of adding agree better.
 */
export function expectation(tf: TensorFlow, operation: Operation): Expectation {
  return withoutFusedKernels(() => {
    const composed = valueAndGradients(tf, operation);
    const nearby = valueAndGradients(tf, { ...operation, inputs: () => operation.inputs().map((x) => rounded(tf, x)) });
    return {
      composed,
      valueLimit: Math.max(2e-6, 4 * relativeError(nearby.value, composed.value)),
      gradientLimits: nearby.gradients.map((each, i) =>
        Math.max(2e-5, 4 * relativeError(each, composed.gradients[i]!)),
      ),
    };
  });
}

/** Each element moved by one unit in the last place, up or down. */
function rounded(tf: TensorFlow, x: Tensor): Tensor {
  const moved = numbers(x).map((value, i) => value * (1 + (i % 2 === 0 ? 2 ** -23 : -(2 ** -23))));
  return tf.tensor(moved, x.shape);
}

/** What the elements of an operation's value are weighed with. */
export const weightsOf = (tf: TensorFlow, value: Tensor): Tensor => values(tf, value.shape, 2.3);

/** A tensor's elements. */
export const numbers = (x: Tensor): Float32Array => Float32Array.from(x.dataSync());

const D = 24;

/** Every operation of src/fused that has a gradient. Sizes are no multiples of any vector register. */
export function operations(tf: TensorFlow): readonly Operation[] {
  const make = (shape: readonly number[], phase: number, size?: number) => values(tf, shape, phase, size);
  const affine = (outputs: number, inputs: number, phase: number) => [
    make([outputs, inputs], phase, 0.3),
    make([outputs], phase + 0.5, 0.2),
  ];
  const norm = () => [make([D], 1.3, 0.5).add(1), make([D], 2.1, 0.2)];
  const tokens = () => make([2, 7, D], 1);
  const pair = (list: readonly Tensor[], at: number) => ({ weight: list[at]!, bias: list[at + 1]! });
  const attentionHalf = (scale?: number[]): Pick<Operation, "f" | "inputs"> => ({
    f: (x, ...p) =>
      residualAttention(tf, x!, { norm: pair(p, 0), qkv: pair(p, 2), proj: pair(p, 4) }, 3, {
        epsilon: 1e-6,
        scale: scale && tf.tensor1d(scale),
      }),
    inputs: () => [tokens(), ...norm(), ...affine(3 * D, D, 1.1), ...affine(D, D, 0.7)],
  });
  const mlpHalf = (scale?: number[]): Pick<Operation, "f" | "inputs"> => ({
    f: (x, ...p) =>
      residualMlp(
        tf,
        x!,
        { norm: pair(p, 0), fc1: pair(p, 2), fc2: pair(p, 4) },
        {
          epsilon: 1e-6,
          scale: scale && tf.tensor1d(scale),
        },
      ),
    inputs: () => [tokens(), ...norm(), ...affine(4 * D, D, 1.9), ...affine(D, 4 * D, 0.4)],
  });
  return [
    {
      name: "layerNorm",
      f: (x, w, b) => layerNorm(tf, x!, w!, b!, 1e-6),
      inputs: () => [make([3, 7, 37], 1, 2), make([37], 2), make([37], 3)],
    },
    { name: "gelu", f: (x) => gelu(tf, x!), inputs: () => [make([5, 51], 1, 3)] },
    {
      name: "linear",
      f: (x, w, b) => linear(tf, x!, w!, b),
      inputs: () => [make([2, 5, 13], 1), make([7, 13], 2), make([7], 3)],
    },
    { name: "attention, 5 tokens", f: (qkv) => attention(tf, qkv!, 3), inputs: () => [make([2, 5, 3 * D], 1)] },
    { name: "attention, 53 tokens", f: (qkv) => attention(tf, qkv!, 2), inputs: () => [make([2, 53, 3 * D], 1)] },
    { name: "attention, one token", f: (qkv) => attention(tf, qkv!, 2), inputs: () => [make([2, 1, 3 * D], 1)] },
    { name: "the attention half of a block", ...attentionHalf() },
    { name: "the attention half of a block with stochastic depth", ...attentionHalf([0, 1.25]) },
    { name: "the MLP half of a block", ...mlpHalf() },
    { name: "the MLP half of a block with stochastic depth", ...mlpHalf([1.25, 0]) },
  ];
}
