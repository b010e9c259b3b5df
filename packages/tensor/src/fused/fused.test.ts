import type { Tensor } from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { compile, createAdamW, loadTensorFlow, rawOp, type TensorFlow } from "../index.ts";
import { provisionKernels } from "../provision/index.ts";
import {
  adamwUpdate,
  attention,
  autocast,
  gelu,
  layerNorm,
  linear,
  loadFusedKernels,
  residualAttention,
  residualMlp,
  usesFusedKernels,
  withoutFusedKernels,
} from "./index.ts";

let tf: TensorFlow;
beforeAll(async () => {
  await provisionKernels();
  tf = await loadTensorFlow();
  loadFusedKernels(tf);
});

/** Numbers without a pattern, the same in every run. */
function values(shape: readonly number[], phase: number, size = 1): Tensor {
  const length = shape.reduce((product, side) => product * side, 1);
  const data = Float32Array.from({ length }, (_, i) => size * (Math.sin(1.7 * i + phase) + 0.3 * Math.cos(phase * i)));
  return tf.tensor(data, [...shape]);
}

const D = 24;
/** What a block half is made of, small enough not to overflow and large enough to matter. */
function halves(dim: number) {
  const affine = (outputs: number, inputs: number, phase: number) => [
    values([outputs, inputs], phase, 0.3),
    values([outputs], phase + 0.5, 0.2),
  ];
  const norm = [values([dim], 1.3, 0.5).add(1), values([dim], 2.1, 0.2)];
  return {
    attention: [...norm, ...affine(3 * dim, dim, 1.1), ...affine(dim, dim, 0.7)],
    mlp: [...norm, ...affine(4 * dim, dim, 1.9), ...affine(dim, 4 * dim, 0.4)],
  };
}
const pair = (list: readonly Tensor[], at: number) => ({ weight: list[at]!, bias: list[at + 1]! });
const attentionHalf =
  (heads: number, scale?: Tensor) =>
  (x: Tensor, ...p: Tensor[]) =>
    residualAttention(tf, x, { norm: pair(p, 0), qkv: pair(p, 2), proj: pair(p, 4) }, heads, { epsilon: 1e-6, scale });
const mlpHalf =
  (scale?: Tensor) =>
  (x: Tensor, ...p: Tensor[]) =>
    residualMlp(tf, x, { norm: pair(p, 0), fc1: pair(p, 2), fc2: pair(p, 4) }, { epsilon: 1e-6, scale });

interface Case {
  readonly name: string;
  readonly f: (...inputs: Tensor[]) => Tensor;
  readonly inputs: () => Tensor[];
}
/** Sizes are no multiples of any vector register. */
const cases: readonly Case[] = [
  {
    name: "layerNorm",
    f: (x, w, b) => layerNorm(tf, x!, w!, b!, 1e-6),
    inputs: () => [values([3, 7, 37], 1, 2), values([37], 2), values([37], 3)],
  },
  { name: "gelu", f: (x) => gelu(tf, x!), inputs: () => [values([5, 51], 1, 3)] },
  {
    name: "linear",
    f: (x, w, b) => linear(tf, x!, w!, b),
    inputs: () => [values([2, 5, 13], 1), values([7, 13], 2), values([7], 3)],
  },
  { name: "attention, 5 tokens", f: (qkv) => attention(tf, qkv!, 3), inputs: () => [values([2, 5, 3 * D], 1)] },
  { name: "attention, 53 tokens", f: (qkv) => attention(tf, qkv!, 2), inputs: () => [values([2, 53, 3 * D], 1)] },
  { name: "attention, one token", f: (qkv) => attention(tf, qkv!, 2), inputs: () => [values([2, 1, 3 * D], 1)] },
  {
    name: "the attention half of a block",
    f: (...inputs) => attentionHalf(3)(...(inputs as [Tensor])),
    inputs: () => [values([2, 7, D], 1), ...halves(D).attention],
  },
  {
    name: "the attention half of a block with stochastic depth",
    f: (...inputs) => attentionHalf(3, tf.tensor1d([0, 1.25]))(...(inputs as [Tensor])),
    inputs: () => [values([2, 7, D], 1), ...halves(D).attention],
  },
  {
    name: "the MLP half of a block",
    f: (...inputs) => mlpHalf()(...(inputs as [Tensor])),
    inputs: () => [values([2, 7, D], 1), ...halves(D).mlp],
  },
  {
    name: "the MLP half of a block with stochastic depth",
    f: (...inputs) => mlpHalf(tf.tensor1d([1.25, 0]))(...(inputs as [Tensor])),
    inputs: () => [values([2, 7, D], 1), ...halves(D).mlp],
  },
];

/** sum(f(...) * weights) and its gradients. */
function valueAndGradients({ f, inputs }: Case): { value: Float32Array; gradients: Float32Array[] } {
  return tf.tidy(() => {
    const given = inputs();
    const weigh = (y: Tensor) => y.mul(values(y.shape, 2.3)).sum();
    const gradients = tf.grads(((...args: Tensor[]) => weigh(f(...args))) as never)(given);
    return {
      value: f(...given).dataSync() as Float32Array,
      gradients: gradients.map((gradient) => gradient.dataSync() as Float32Array),
    };
  });
}

/** The L2 norm of a difference against that of what was expected. */
function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  const sum = (each: (i: number) => number) =>
    Math.sqrt(Array.from(expected, (_, i) => each(i) ** 2).reduce((total, square) => total + square, 0));
  return (
    sum((i) => actual[i]! - expected[i]!) /
    Math.max(
      sum((i) => expected[i]!),
      1e-12,
    )
  );
}

describe.each(cases)("$name, fused", (each) => {
  it("is there", () => expect(usesFusedKernels(tf)).toBe(true));

  it("agrees with the composition, value and gradients", () => {
    const fused = valueAndGradients(each);
    const composed = withoutFusedKernels(() => valueAndGradients(each));
    expect(relativeError(fused.value, composed.value)).toBeLessThan(2e-6);
    for (const [i, gradient] of fused.gradients.entries()) {
      expect(relativeError(gradient, composed.gradients[i]!), `gradient ${i}`).toBeLessThan(2e-5);
    }
  });

  it("has the gradient that finite differences give", () => {
    const { gradients } = valueAndGradients(each);
    const inputs = each.inputs();
    const loss = (args: Tensor[]) =>
      tf.tidy(() => {
        const y = each.f(...args);
        return y.mul(values(y.shape, 2.3)).sum().dataSync()[0]!;
      });
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
    valueAndGradients(each);
    const before = tf.memory().numTensors;
    valueAndGradients(each);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("against loops in double precision", () => {
  it("gelu", () => {
    // Phi by its Taylor series: sum over k of (-1)^k x^(2k + 1) / (2^k k! (2k + 1)), over sqrt(2 pi).
    const phi = (x: number) => {
      let term = x;
      let sum = x;
      for (let k = 1; k < 200; k++) {
        term *= -(x * x) / (2 * k);
        sum += term / (2 * k + 1);
      }
      return 0.5 + sum / Math.sqrt(2 * Math.PI);
    };
    const x = Float32Array.from({ length: 801 }, (_, i) => (i - 400) / 100);
    const y = gelu(tf, tf.tensor1d(x)).dataSync();
    const slope = tf
      .grad((each: Tensor) => gelu(tf, each).sum())(tf.tensor1d(x))
      .dataSync();
    for (const [i, at] of x.entries()) {
      expect(Math.abs(y[i]! - at * phi(at)), `gelu(${at})`).toBeLessThan(3e-7 * Math.max(1, Math.abs(at)));
      const expected = phi(at) + (at * Math.exp((-at * at) / 2)) / Math.sqrt(2 * Math.PI);
      expect(Math.abs(slope[i]! - expected), `gelu'(${at})`).toBeLessThan(5e-7);
    }
    expect([...gelu(tf, tf.tensor1d([-1e4, 1e4, 0])).dataSync()].map(Math.abs)).toEqual([0, 1e4, 0]);
    expect(gelu(tf, tf.tensor1d([Number.NaN])).dataSync()[0]).toBeNaN();
  });

  it("layerNorm, also far from zero", () => {
    const x = values([4, 37], 1, 3).add(1000);
    const [data, y] = [x.dataSync(), layerNorm(tf, x, tf.ones([37]), tf.zeros([37]), 1e-6).dataSync()];
    for (let row = 0; row < 4; row++) {
      const each = Array.from(data.subarray(row * 37, (row + 1) * 37));
      const mean = each.reduce((sum, value) => sum + value, 0) / 37;
      const variance = each.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 37;
      for (const [j, value] of each.entries()) {
        const expected = (value - mean) / Math.sqrt(variance + 1e-6);
        expect(Math.abs(y[row * 37 + j]! - expected)).toBeLessThan(1e-4);
      }
    }
  });

  it.each([1, 30])("attention, scores up to the order of %d squared", (size) => {
    const [tokens, heads, headDim] = [53, 2, 12];
    const qkv = values([1, tokens, 3 * D], 1, size);
    const [data, y] = [qkv.dataSync(), attention(tf, qkv, heads).dataSync()];
    const at = (part: number, token: number, head: number, j: number) =>
      data[token * 3 * D + part * D + head * headDim + j]!;
    for (let head = 0; head < heads; head++) {
      for (let query = 0; query < tokens; query++) {
        const scores = Array.from({ length: tokens }, (_, key) => {
          let sum = 0;
          for (let j = 0; j < headDim; j++) sum += at(0, query, head, j) * at(1, key, head, j);
          return sum / Math.sqrt(headDim);
        });
        const largest = Math.max(...scores);
        const powers = scores.map((score) => Math.exp(score - largest));
        const total = powers.reduce((sum, power) => sum + power, 0);
        for (let j = 0; j < headDim; j++) {
          const expected = powers.reduce((sum, power, key) => sum + (power / total) * at(2, key, head, j), 0);
          // Rounding of a score of 10^3 moves its exponential by 10^-4.
          expect(Math.abs(y[query * D + head * headDim + j]! - expected)).toBeLessThan(2e-6 * size ** 3);
        }
      }
    }
  });
});

describe("adamwUpdate", () => {
  const shapes = [[3, 5], [1], [70_001], [2, 3, 4]] as const;
  const parameters = () => ({
    weights: shapes.map((shape, i) => values(shape, i + 1)),
    firstMoments: shapes.map((shape, i) => values(shape, i + 2, 0.1)),
    secondMoments: shapes.map((shape, i) => values(shape, i + 3, 0.1).square()),
    gradients: shapes.map((shape, i) => values(shape, i + 4)),
    groups: [0, 1, 1, 0],
    factors: tf.tensor2d([1e-3 / 0.271, 1 - 1e-3 * 0.05, 0.0547, 5e-4 / 0.271, 1, 0.0547], [2, 3]),
    ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  });

  it("is the composition's step, and a loop's in double precision", () => {
    const fused = adamwUpdate(tf, parameters());
    const composed = withoutFusedKernels(() => adamwUpdate(tf, parameters()));
    for (const kind of ["weights", "firstMoments", "secondMoments"] as const) {
      for (const [i, result] of fused[kind].entries()) {
        expect(result.shape).toEqual(shapes[i]);
        expect(relativeError(result.dataSync(), composed[kind][i]!.dataSync()), `${kind} ${i}`).toBeLessThan(3e-7);
      }
    }
    const { weights, firstMoments, secondMoments, gradients } = parameters();
    const [w, m, v, g] = [weights[0]!, firstMoments[0]!, secondMoments[0]!, gradients[0]!].map((x) => x.dataSync());
    for (let i = 0; i < 15; i++) {
      const first = 0.9 * m![i]! + 0.1 * g![i]!;
      const second = 0.999 * v![i]! + 0.001 * g![i]! ** 2;
      const expected = w![i]! * (1 - 5e-5) - ((1e-3 / 0.271) * first) / (Math.sqrt(second) / 0.0547 + 1e-8);
      expect(fused.weights[0]!.dataSync()[i]).toBeCloseTo(expected, 6);
    }
  });

  it("works in the memory of weights and moments", () => {
    const given = parameters();
    const result = adamwUpdate(tf, given);
    expect([...given.weights[0]!.dataSync()]).toEqual([...result.weights[0]!.dataSync()]);
    expect([...given.weights[0]!.dataSync()]).not.toEqual([...values([3, 5], 1).dataSync()]);
  });

  it.each(["recorded", "eager"] as const)("spares clones, and runs after other readers of a weight: %s", (mode) => {
    const size = 300_000;
    const weight = tf.variable(values([size], 1));
    const kept = weight.clone();
    const optimizer = createAdamW(tf, new Map([["w", weight]]), [
      { names: ["w"], learningRateScale: 1, weightDecay: 0.5 },
    ]);
    const compiled = compile(tf, {
      mode,
      state: new Map([["w", weight], ...optimizer.variables]),
      step({ factors }: { factors: Tensor }) {
        const before = weight.reshape([2, -1]).square().sum();
        return { outputs: { before }, updates: optimizer.updates({ w: tf.ones([size]) }, factors) };
      },
    });
    const squares = (x: Tensor) => tf.tidy(() => x.square().sum().dataSync()[0]!);
    for (let i = 0; i < 5; i++) {
      const expected = squares(weight);
      const before = tf.tidy(() => compiled.run({ factors: optimizer.advance(0.1) }).before.dataSync()[0]!);
      expect(before).toBe(expected);
    }
    expect([...kept.dataSync().subarray(0, 9)]).toEqual([...values([size], 1).dataSync().subarray(0, 9)]);
    expect(weight.dataSync()[0]).not.toBe(kept.dataSync()[0]);
    compiled.dispose();
  });

  it("makes a step that reads a weight after its update impossible to record", () => {
    const weight = tf.variable(values([3], 1));
    const optimizer = createAdamW(tf, new Map([["w", weight]]), [
      { names: ["w"], learningRateScale: 1, weightDecay: 0 },
    ]);
    const compiled = compile(tf, {
      state: new Map([["w", weight], ...optimizer.variables]),
      step({ factors }: { factors: Tensor }) {
        const updates = optimizer.updates({ w: tf.ones([3]) }, factors);
        return { outputs: { after: weight.square().sum() }, updates };
      },
    });
    expect(() => tf.tidy(() => compiled.run({ factors: optimizer.advance(0.1) }))).toThrow(/overwritten/);
  });
});

describe("autocast", () => {
  it("ends with its function, also when that throws", () => {
    const probe = () => linear(tf, tf.tensor2d([[1.001]]), tf.tensor2d([[1.001]])).dataSync()[0]!;
    const exact = probe();
    expect(autocast("bfloat16", probe)).not.toBe(exact);
    expect(() =>
      autocast("bfloat16", () => {
        throw new Error("within");
      }),
    ).toThrow("within");
    expect(probe()).toBe(exact);
  });

  it.each(cases.filter(({ name }) => /half|linear/.test(name)))(
    "rounds $name no more than products alone do",
    (each) => {
      const lowered = { ...each, f: (...inputs: Tensor[]) => autocast("bfloat16", () => each.f(...inputs)) };
      const exact = valueAndGradients(each);
      const fused = valueAndGradients(lowered);
      const composed = withoutFusedKernels(() => valueAndGradients(lowered));
      const list = ({ value, gradients }: typeof exact) => [value, ...gradients];
      for (const [i, expected] of list(exact).entries()) {
        const error = relativeError(list(fused)[i]!, expected);
        expect(error).toBeLessThan(1.5 * relativeError(list(composed)[i]!, expected) + 2 ** -8);
      }
      expect(relativeError(fused.value, exact.value)).toBeGreaterThan(0);
    },
  );
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
