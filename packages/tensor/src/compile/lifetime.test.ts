import type { Tensor, Variable } from "@tensorflow/tfjs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { values } from "../../test-fixtures/fused-operations.ts";
import { type AdamW, compile, createAdamW, loadTensorFlow, memoryStatistics, rawOp } from "../index.ts";
import { provisionKernels } from "../provision/index.ts";

await provisionKernels();
const tf = await loadTensorFlow();

/** What JavaScript and TensorFlow hold. */
const alive = () => [tf.memory().numTensors, memoryStatistics(tf).tensors, memoryStatistics(tf).bytes];

let weight: Variable;
let optimizer: AdamW;
let x: Tensor;
let factors: Tensor;
beforeEach(() => {
  weight = tf.tidy(() => tf.variable(values(tf, [4, 3], 1)));
  optimizer = createAdamW(tf, new Map([["w", weight]]), [{ names: ["w"], learningRateScale: 1, weightDecay: 0 }]);
  x = tf.tidy(() => values(tf, [4, 3], 2));
  factors = optimizer.advance(0.1);
  // Made when it is first read, and kept.
  weight.dataSync();
  tf.tidy(() => tf.add(x, factors.sum()).dataSync());
});
afterEach(() => {
  tf.dispose([x, factors, weight]);
  optimizer.dispose();
});

type Given = {
  readonly x: Tensor;
  readonly factors: Tensor;
};
/** @param fail called within the gradient, and after it */
const trained = (
  fail: (place: "gradient" | "end", x: Tensor) => void = () => undefined,
  mode: "recorded" | "eager" = "recorded",
) =>
  compile(tf, {
    mode,
    state: new Map([["w", weight], ...optimizer.variables]),
    step(given: Given) {
      const loss = () => {
        const product = weight.mul(given.x);
        fail("gradient", product);
        return product.square().sum().asScalar();
      };
      const { value, grads } = tf.variableGrads(loss, [weight]);
      const updates = optimizer.updates({ w: grads[weight.name]! }, given.factors);
      fail("end", value);
      return { outputs: { loss: value }, updates };
    },
  });

describe("what a compiled step holds", () => {
  it.each([
    ["gradient", "recorded"],
    ["gradient", "eager"],
    ["end", "recorded"],
    ["end", "eager"],
  ] as const)("is nothing when the step throws: %s, %s", (place, mode) => {
    const outside = tf.tidy(() => values(tf, [5], 3));
    outside.dataSync();
    const compiled = trained((at, each) => {
      // A capture, a constant and values of the recording are held when it throws.
      each.add(outside.sum()).add(tf.tensor1d([1, 2]).sum());
      if (at === place) throw new Error("mine");
    }, mode);
    tf.tidy(() => outside.sum().dataSync());
    const before = alive();
    for (let i = 0; i < 5; i++) expect(() => compiled.run({ x, factors })).toThrow("mine");
    expect(alive()).toEqual(before);
    expect(tf.engine().isTapeOn()).toBe(false);
    compiled.dispose();
    outside.dispose();
    const works = trained();
    tf.dispose(works.run({ x, factors }));
    works.dispose();
    expect(alive()[1]).toBe(before[1]! - 1);
  });

  it("does not grow when its function fails", () => {
    const at = tf.tensor1d([7], "int32");
    at.dataSync();
    const compiled = compile(tf, {
      state: new Map([["w", weight], ...optimizer.variables]),
      step: (given: Given & { at: Tensor }) => ({
        outputs: { y: tf.gather(weight, given.at) },
        updates: optimizer.updates({ w: given.x }, given.factors),
      }),
    });
    const run = () => compiled.run({ x, factors, at });
    expect(run).toThrow("is not in [0, 4)");
    const before = alive();
    for (let i = 0; i < 5; i++) expect(run).toThrow("is not in [0, 4)");
    expect(alive()).toEqual(before);
    compiled.dispose();
    at.dispose();
  });

  it("goes when it is disposed, also twice, and with a function that the cache forgets", () => {
    const outside = tf.tidy(() => values(tf, [3], 3));
    tf.tidy(() => outside.sum().dataSync());
    const before = alive();
    const compiled = compile(tf, {
      cacheSize: 1,
      state: new Map([["w", weight]]),
      step: (given: { x: Tensor }) => ({ outputs: { y: given.x.mul(outside).sum() } }),
    });
    for (const rows of [1, 2, 3]) {
      tf.tidy(() => {
        compiled.run({ x: tf.ones([rows, 3]) });
      });
    }
    compiled.dispose();
    compiled.dispose();
    expect(alive()).toEqual(before);
    outside.dispose();
    expect(memoryStatistics(tf).tensors).toBe(before[1]! - 1);
  });
});

describe("what was disposed", () => {
  it("is refused by name, as an input and in the state", () => {
    const compiled = trained();
    tf.dispose(compiled.run({ x, factors }));
    const gone = x.clone();
    gone.dispose();
    expect(() => compiled.run({ x: gone, factors })).toThrow(
      'The compiled step "step" cannot run: its input "x" was disposed',
    );
    weight.dispose();
    expect(() => compiled.run({ x, factors })).toThrow(
      'The compiled step "step" cannot run: its state\'s variable "w" was disposed',
    );
    compiled.dispose();
    expect(() => compiled.run({ x, factors })).toThrow('The compiled step "step" was disposed');
    expect(() => compiled.explain({ x, factors })).toThrow('The compiled step "step" was disposed');
  });

  it("is refused as an operation's input, also while a step is recorded", () => {
    const gone = x.clone();
    gone.dispose();
    const square = () => rawOp(tf, "Square", [gone]);
    expect(square).toThrow("A tensor was used after it was disposed");
    const compiled = compile(tf, { state: new Map(), step: () => ({ outputs: { y: square()[0]! } }) });
    expect(() => compiled.run({})).toThrow("A tensor was used after it was disposed");
    compiled.dispose();
  });

  it("is refused by an optimizer, which may be disposed twice", () => {
    optimizer.dispose();
    optimizer.dispose();
    expect(() => optimizer.step({ w: x }, 0.1)).toThrow("disposed");
  });
});
