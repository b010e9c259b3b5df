import type { Tensor } from "@tensorflow/tfjs";
import { backendOf } from "./backend.ts";
import type { TensorFlow } from "./tensorflow.ts";
import { TensorFlowError } from "./tensorflow-error.ts";

/** An attribute's value; an element type goes by its name ("bfloat16"), a shape is a list with -1 for unknown sizes. */
export type AttributeValue = number | bigint | boolean | string | Uint8Array | readonly AttributeValue[];

/** tf.js's engine, of which one method that its types keep private is needed. */
interface KernelRunner {
  runKernelFunc(kernel: {
    readonly forwardFunc: () => Tensor[];
    readonly backwardsFunc: () => never;
    readonly inputs: Record<string, Tensor>;
  }): Tensor[];
}

/** So many tensors; for a number that is known only when it runs, a list. */
export type Outputs<N extends number, Found extends Tensor[] = []> = number extends N
  ? Tensor[]
  : Found["length"] extends N
    ? Found
    : Outputs<N, [...Found, Tensor]>;

/**
 * Runs a TensorFlow operation by its name, or records it. Attributes that follow from the inputs ("T" of most) need not be
 * given; of which kind the others are, TensorFlow's definition says. It has no gradient: asking for
 * one fails; give it one with withCustomGradient.
 *
 * @param inputs in the order of the definition, the tensors of a list one after the other
 * @param outputs how many tensors it answers
 * @throws {TensorFlowError} "not_found" for an unknown operation, "invalid_argument" for what does not fit it,
 * another number of outputs too
 */
export function rawOp<N extends number = 1>(
  tf: TensorFlow,
  name: string,
  inputs: readonly Tensor[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  outputs?: N,
): Outputs<N> {
  const count = outputs ?? 1;
  const backend = backendOf(tf);
  const list = Object.entries(attributes).map(([attribute, value]) => ({ name: attribute, value }));
  // Through tf.js's engine, so that a gradient that would need the operation's is refused and not silently zero.
  const engine = tf.engine() as unknown as KernelRunner;
  const answered = engine.runKernelFunc({
    inputs: Object.fromEntries(inputs.map((input, i) => [`${i}`, input])),
    forwardFunc: () =>
      backend.binding
        .executeOp(name, list, backend.getInputTensorIds(inputs), count)
        .map((info) => backend.createOutputTensor(info)),
    backwardsFunc: () => {
      throw new TensorFlowError("unimplemented", `${name} has no gradient: run it within withCustomGradient`);
    },
  });
  if (isOf<N>(answered, count)) return answered;
  tf.dispose(answered);
  throw new TensorFlowError("invalid_argument", `${name}: expected ${count} outputs, got ${answered.length}`);
}

function isOf<N extends number>(tensors: Tensor[], count: number): tensors is Tensor[] & Outputs<N> {
  return tensors.length === count;
}

/**
 * Loads a library of kernels into TensorFlow: operations that it registers can be run with rawOp. Once a process.
 *
 * @param path of a shared library that was built for this TensorFlow
 * @returns the names of its operations
 * @throws {TensorFlowError} when it cannot be loaded
 */
export function loadKernelLibrary(tf: TensorFlow, path: string): readonly string[] {
  return backendOf(tf).binding.loadLibrary(path);
}
