import type { Tensor } from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";
import {
  expectation,
  numbers,
  operations,
  relativeError,
  valueAndGradients,
  weightsOf,
} from "../../test-fixtures/fused-operations.ts";
import { loadTensorFlow, rawOp, usesFusedKernels } from "../index.ts";
import { provisionKernels } from "../provision/index.ts";

await provisionKernels();
const tf = await loadTensorFlow();

describe.each(operations(tf))("$name, fused", (operation) => {
  it("is there", () => expect(usesFusedKernels(tf)).toBe(true));

  it("agrees with the composition, value and gradients", () => {
    const fused = valueAndGradients(tf, operation);
    const { composed, valueLimit, gradientLimits } = expectation(tf, operation);
    expect(relativeError(fused.value, composed.value)).toBeLessThan(valueLimit);
    for (const [i, gradient] of fused.gradients.entries()) {
      expect(relativeError(gradient, composed.gradients[i]!), `gradient ${i}`).toBeLessThan(gradientLimits[i]!);
    }
  });

  it("has the gradient that finite differences give", () => {
    const { gradients } = valueAndGradients(tf, operation);
    const inputs = operation.inputs();
    const weights = weightsOf(tf, operation.f(...inputs)).dataSync();
    // Summed in double precision: a difference of two sums of hundreds of terms keeps few digits of float32.
    const loss = (args: Tensor[]) => {
      const y = tf.tidy(() => numbers(operation.f(...args)));
      return y.reduce((sum, value, i) => sum + value * weights[i]!, 0);
    };
    for (const [which, input] of inputs.entries()) {
      const data = input.dataSync();
      for (let i = which; i < data.length; i += Math.ceil(data.length / 5)) {
        const at = (delta: number) => {
          const moved = Float32Array.from(data);
          moved[i]! += delta;
          return loss(inputs.map((other, j) => (j === which ? tf.tensor(moved, input.shape) : other)));
        };
        const step = 2e-3;
        const expected = (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
        const actual = gradients[which]![i]!;
        const largest = Math.max(...gradients[which]!.map(Math.abs));
        expect(Math.abs(actual - expected), `input ${which}, element ${i}: ${actual}, ${expected}`).toBeLessThan(
          2e-2 * largest + 2e-3,
        );
      }
    }
  });

  it("leaks no tensors", () => {
    valueAndGradients(tf, operation);
    const before = tf.memory().numTensors;
    valueAndGradients(tf, operation);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("an operation of the kernel library", () => {
  it("refuses what does not fit, by an error", () => {
    const refused = (name: string, inputs: Tensor[], attributes = {}, outputs = 1) =>
      expect(() => rawOp(tf, name, inputs, attributes, outputs)).toThrow(/Expected/);
    refused("DuchenneLayerNorm", [tf.ones([2, 3]), tf.ones([4]), tf.ones([3])], { T: "float32", epsilon: 1e-6 }, 3);
    refused("DuchenneBiasGelu", [tf.ones([2, 3]), tf.ones([2])]);
    refused("DuchenneResidual", [tf.ones([4, 2]), tf.ones([4, 2]), tf.ones([2]), tf.ones([3])]);
  });
});
