import type { Tensor } from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import {
  clipByGlobalNorm,
  createAdamW,
  dropPath,
  gelu,
  globalNorm,
  gradientReversal,
  layerNorm,
  linear,
  loadTensorFlow,
  statelessUniform,
  type TensorFlow,
  withoutFusedKernels,
} from "./index.ts";

let tf: TensorFlow;
beforeAll(async () => {
  tf = await loadTensorFlow();
});

/** Numbers without a pattern, the same in every run. */
function values(shape: readonly number[], phase: number): Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(1.7 * i + phase) + 0.3 * Math.cos(0.9 * i * phase)),
    [...shape],
  );
}

/** Compares the gradient of sum(f(...) * weights) with central differences. */
function expectGradient(f: (...inputs: Tensor[]) => Tensor, ...inputs: Tensor[]): void {
  expectScaledGradient(1, f, ...inputs);
}

/** The same for an operation whose gradient is said to be `scale` times the true one. */
function expectScaledGradient(scale: number, f: (...inputs: Tensor[]) => Tensor, ...inputs: Tensor[]): void {
  const weights = values(f(...inputs).shape, 2.3);
  const loss = (...args: Tensor[]) =>
    f(...args)
      .mul(weights)
      .sum();
  const gradients = tf.grads(loss)(inputs);
  for (const [which, input] of inputs.entries()) {
    const actual = gradients[which]!.dataSync();
    const data = input.dataSync();
    for (let i = 0; i < data.length; i += Math.max(1, Math.floor(data.length / 11))) {
      const at = (delta: number) => {
        const moved = Float32Array.from(data);
        moved[i]! += delta;
        const args = inputs.map((each, j) => (j === which ? tf.tensor(moved, input.shape) : each));
        return loss(...args).dataSync()[0]!;
      };
      const expected = (scale * (at(1e-2) - at(-1e-2))) / 2e-2;
      expect(
        Math.abs(actual[i]! - expected),
        `input ${which}, element ${i}: ${actual[i]} against ${expected}`,
      ).toBeLessThan(2e-3 * (1 + Math.abs(expected)));
    }
  }
}

describe("linear", () => {
  it("is PyTorch's: weights [out, in]", () => {
    const y = linear(tf, tf.tensor([[1, 2, 3]]), tf.tensor([[1, 0, 0], [0, 1, 1]]), tf.tensor([10, 20])); // biome-ignore format: a matrix
    expect([...y.dataSync()]).toEqual([11, 25]);
    expect(linear(tf, values([2, 5, 3], 1), values([4, 3], 2)).shape).toEqual([2, 5, 4]);
  });
  it("has its gradient", () => {
    expectGradient((x, w, b) => linear(tf, x!, w!, b), values([2, 3, 4], 1), values([5, 4], 2), values([5], 3));
  });
});

describe("layerNorm", () => {
  it("standardises the last axis", () => {
    const y = layerNorm(tf, tf.tensor([[1, 3], [5, 5]]), tf.tensor([2, 2]), tf.tensor([1, 1]), 1e-6); // biome-ignore format: a matrix
    const expected = [-1, 3, 1, 1];
    for (const [i, value] of y.dataSync().entries()) expect(value).toBeCloseTo(expected[i]!, 4);
  });
  it("has its gradient", () => {
    expectGradient((x, w, b) => layerNorm(tf, x!, w!, b!, 1e-6), values([2, 3, 6], 1), values([6], 2), values([6], 3));
  });
});

describe("gelu", () => {
  it("is the exact form", () => {
    const y = gelu(tf, tf.tensor([-1, 0, 1, 3])).dataSync();
    const expected = [-0.15865525, 0, 0.84134475, 2.9959503];
    for (const [i, value] of y.entries()) expect(value).toBeCloseTo(expected[i]!, 5);
  });
  it("has its gradient", () => expectGradient((x) => gelu(tf, x!), values([3, 7], 1)));
});

describe("gradientReversal", () => {
  it("is the identity forward", () => {
    const x = values([4], 1);
    expect([...gradientReversal(tf, x, 0.5).dataSync()]).toEqual([...x.dataSync()]);
  });
  it.each([0.5, 2])(
    "has -lambda times the gradient of what stands above it, by finite differences (lambda %d)",
    (lambda) => {
      const above = (x: Tensor) => gelu(tf, linear(tf, gradientReversal(tf, x, lambda), values([4, 5], 2)));
      expectScaledGradient(-lambda, (x) => above(x!), values([3, 5], 1));
    },
  );
  it("reverses nothing beside it, and lambda 0 cuts the gradient", () => {
    const both = (lambda: number) => (x: Tensor) =>
      x
        .mul(3)
        .add(gradientReversal(tf, x, lambda).mul(5))
        .sum();
    const gradientOf = (lambda: number) =>
      tf
        .grad(both(lambda))(values([2], 1))
        .dataSync();
    expect([...gradientOf(2)]).toEqual([3 - 10, 3 - 10]);
    expect([...gradientOf(0)]).toEqual([3, 3]);
  });
});

describe("dropPath", () => {
  it("drops whole samples, keeps the mean and repeats with its seed", () => {
    const x = tf.ones([2000, 3]);
    const y = dropPath(tf, x, 0.25, 7);
    const rows = y.arraySync() as number[][];
    expect(new Set(rows.map((row) => row.map((value) => value.toFixed(4)).join()))).toEqual(
      new Set(["0.0000,0.0000,0.0000", "1.3333,1.3333,1.3333"]),
    );
    expect(Math.abs(y.mean().dataSync()[0]! - 1)).toBeLessThan(0.05);
    expect([...dropPath(tf, x, 0.25, 7).dataSync()]).toEqual([...y.dataSync()]);
    expect([...dropPath(tf, x, 0.25, 8).dataSync()]).not.toEqual([...y.dataSync()]);
    expect(dropPath(tf, x, 0, 7)).toBe(x);
  });
});

describe("AdamW", () => {
  const group = (extra = {}) => [{ names: ["w"], learningRateScale: 1, weightDecay: 0, ...extra }];
  const variable = () => new Map([["w", tf.variable(tf.tensor([1, -2, 3]))]]);
  const gradient = { w: [0.5, -1, 0] };
  const step = (optimizer: ReturnType<typeof createAdamW>, rate: number, scale = 1) =>
    optimizer.step({ w: tf.tensor(gradient.w).mul(scale) }, rate);

  it("moves by the learning rate against the sign of the gradient in its first step", () => {
    const variables = variable();
    step(createAdamW(tf, variables, group()), 0.1);
    const expected = [0.9, -1.9, 3];
    for (const [i, value] of variables.get("w")!.dataSync().entries()) expect(value).toBeCloseTo(expected[i]!, 6);
  });

  it("decays weights apart from the gradient, by the group's learning rate", () => {
    const variables = variable();
    step(createAdamW(tf, variables, group({ weightDecay: 0.5, learningRateScale: 0.5 })), 0.1, 0);
    const expected = [1, -2, 3].map((value) => value * (1 - 0.05 * 0.5));
    for (const [i, value] of variables.get("w")!.dataSync().entries()) expect(value).toBeCloseTo(expected[i]!, 6);
  });

  it("advances its moments at a learning rate of 0, and goes on from a restored state as if never stopped", () => {
    const straight = variable();
    const first = createAdamW(tf, straight, group({ weightDecay: 0.05 }));
    step(first, 0);
    expect([...straight.get("w")!.dataSync()]).toEqual([1, -2, 3]);
    expect(first.state().step).toBe(1);
    step(first, 0.01, -0.3);
    const stopped = new Map([["w", tf.variable(straight.get("w")!.clone())]]);
    const second = createAdamW(tf, stopped, group({ weightDecay: 0.05 }));
    second.restore(first.state());
    for (const scale of [2, 0.1, -1]) {
      step(first, 0.01, scale);
      step(second, 0.01, scale);
    }
    expect([...stopped.get("w")!.dataSync()]).toEqual([...straight.get("w")!.dataSync()]);
  });

  // fused.test.ts compares the kernel with the composition.
  it("equals its equations, computed in double precision where they are of numbers, to the bit when composed", () => {
    const [rate, decay, scale, beta1, beta2, epsilon] = [0.01, 0.05, 0.65, 0.9, 0.999, 1e-8];
    const variables = variable();
    const optimizer = createAdamW(tf, variables, group({ weightDecay: decay, learningRateScale: scale }));
    let w: Tensor = variables.get("w")!.clone();
    let m: Tensor = tf.zeros([3]);
    let v: Tensor = tf.zeros([3]);
    for (let t = 1; t <= 5; t++) {
      const g = tf.tensor(gradient.w).mul(t - 2.5);
      m = m.mul(beta1).add(g.mul(1 - beta1));
      v = v.mul(beta2).add(g.square().mul(1 - beta2));
      const change = m
        .div(
          v
            .sqrt()
            .div(Math.sqrt(1 - beta2 ** t))
            .add(epsilon),
        )
        .mul((rate * scale) / (1 - beta1 ** t));
      w = w.mul(1 - rate * scale * decay).sub(change);
      withoutFusedKernels(() => step(optimizer, rate, t - 2.5));
      expect([...variables.get("w")!.dataSync()]).toEqual([...w.dataSync()]);
    }
  });

  it("is refused for what is no parameter and for one that is named twice, and leaves nothing", () => {
    const variables = variable();
    const before = tf.memory().numTensors;
    const [first] = group();
    expect(() => createAdamW(tf, variables, [first!, { ...first!, names: ["v"] }])).toThrow('Expected a parameter "v", found none'); // biome-ignore format: one line
    expect(() => createAdamW(tf, variables, [first!, first!])).toThrow('Expected each parameter once, got "w" and "w"');
    const tied = new Map([...variables, ["v", variables.get("w")!]]);
    expect(() => createAdamW(tf, tied, group({ names: ["w", "v"] }))).toThrow('got "w" and "v"');
    expect(tf.memory().numTensors).toBe(before);
  });

  it("restores all of a state or nothing", () => {
    const optimizer = createAdamW(tf, variable(), group());
    step(optimizer, 0.1);
    const before = optimizer.state();
    const state = { step: 9, firstMoments: new Map([["w", Float32Array.of(7, 8, 9)]]), secondMoments: new Map() };
    expect(() => optimizer.restore(state)).toThrow('Expected the moments of "w"');
    expect(optimizer.state()).toEqual(before);
  });

  it("leaks no tensors", () => {
    const variables = variable();
    const optimizer = createAdamW(tf, variables, group());
    const before = tf.memory().numTensors;
    for (let i = 0; i < 3; i++) tf.tidy(() => step(optimizer, 0.1));
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("gradients", () => {
  const gradients = () => ({ a: tf.tensor([3, 0]), b: tf.tensor([[4]]) });
  it("have a joint norm", () => {
    expect(globalNorm(tf, Object.values(gradients())).dataSync()[0]).toBe(5);
    expect(globalNorm(tf, []).dataSync()[0]).toBe(0);
  });
  it("are scaled down to a norm, and never up", () => {
    const clipped = clipByGlobalNorm(tf, gradients(), 1);
    expect(clipped.norm.dataSync()[0]).toBe(5);
    expect(clipped.gradients.a!.dataSync()[0]).toBeCloseTo(0.6, 6);
    expect(globalNorm(tf, Object.values(clipped.gradients)).dataSync()[0]).toBeCloseTo(1, 6);
    const free = clipByGlobalNorm(tf, gradients(), tf.scalar(10)).gradients;
    expect([...free.a!.dataSync(), ...free.b!.dataSync()]).toEqual([3, 0, 4]);
  });
  it("that are no numbers stay so: a training ends, and does not go on with some", () => {
    const { gradients: clipped, norm } = clipByGlobalNorm(tf, { ...gradients(), c: tf.tensor([Number.NaN]) }, 1);
    expect(norm.dataSync()[0]).toBeNaN();
    expect(clipped.a!.dataSync()[0]).toBeNaN();
  });
});

describe("stateless random numbers", () => {
  it("are uniform, and functions of seed and site", () => {
    const numbers = [...statelessUniform(tf, [10_000], 5, 2).dataSync()];
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...numbers)).toBeLessThan(1);
    expect(numbers.reduce((sum, each) => sum + each, 0) / numbers.length).toBeCloseTo(0.5, 1);
    const first = (seed: number, site: number) => statelessUniform(tf, [4], seed, site).dataSync().join();
    const drawn = [[5, 2], [5, 3], [6, 2], [5 + 2 ** 32, 2], [-5, 2]].map(([seed, site]) => first(seed!, site!)); // biome-ignore format: seeds and sites
    expect(new Set(drawn).size).toBe(5);
    expect(first(5, 2)).toBe(drawn[0]);
  });
  it("refuse seeds that are none", () => {
    expect(() => statelessUniform(tf, [1], 0.5)).toThrow("Expected a whole number as seed, got 0.5");
    expect(() => statelessUniform(tf, [1], tf.tensor1d([1], "int32"))).toThrow("Expected a seed of int32 [2]");
  });
});
