import type { Tensor, Variable } from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";
import { values } from "../../test-fixtures/fused-operations.ts";
import { compile, createAdamW, loadTensorFlow, withoutFusedKernels } from "../index.ts";
import { provisionKernels } from "../provision/index.ts";

await provisionKernels();
const tf = await loadTensorFlow();

const SIZE = 600;
const numbers = (x: Tensor) => [...x.dataSync()];
const variable = (x: Tensor) => tf.variable(x, false);

/** Two steps of AdamW on `weight`, which also read an argument and others: what they read, and the weight after them. */
function train(
  mode: "recorded" | "eager",
  given: (weight: Variable) => { readonly x: Tensor; readonly others?: readonly Tensor[] },
) {
  const weight = tf.tidy(() => variable(values(tf, [SIZE], 1)));
  const { x, others = [] } = given(weight);
  const optimizer = createAdamW(tf, new Map([["w", weight]]), [
    { names: ["w"], learningRateScale: 1, weightDecay: 0.5 },
  ]);
  const compiled = compile(tf, {
    mode,
    state: new Map([["w", weight], ...optimizer.variables]),
    step({ x, factors }: { x: Tensor; factors: Tensor }) {
      const product = weight.mul(x);
      const updates = optimizer.updates({ w: product.square() }, factors);
      // They must see nothing of the update, and run after it, for they read its result too.
      const late = [x, ...others].reduce((sum, each) => sum.add(each), updates.get("w")!);
      return { outputs: { product, late }, updates };
    },
  });
  const read: number[][] = [];
  for (let i = 0; i < 2; i++) {
    tf.tidy(() => {
      const outputs = compiled.run({ x, factors: optimizer.advance(0.1) });
      read.push(numbers(outputs.product), numbers(outputs.late));
    });
  }
  const kept = [x, ...others].filter((each) => each !== weight).map(numbers);
  compiled.dispose();
  optimizer.dispose();
  return { read, kept, weight: numbers(weight) };
}

describe("a step of which two share their data", () => {
  it.each<[string, Parameters<typeof train>[1]]>([
    ["an argument is a weight that is overwritten", (weight) => ({ x: weight })],
    ["an argument is a weight's clone", (weight) => ({ x: weight.clone() })],
    ["an argument is a view of a weight", (weight) => ({ x: weight.reshape([2, -1]).reshape([-1]) })],
    ["it reads a weight's clone from outside", (weight) => ({ x: tf.scalar(2), others: [weight.clone()] })],
    ["it reads a view of a weight from outside", (weight) => ({ x: tf.scalar(2), others: [weight.reshape([1, -1])] })],
    ["it reads a slice of a weight from outside", (weight) => ({ x: tf.scalar(2), others: [weight.slice(7, 1)] })],
    ["a variable outside has a weight's data", (weight) => ({ x: tf.scalar(2), others: [variable(weight)] })],
  ])("computes what it does eagerly, and on compositions: %s", (_, given) => {
    const eager = train("eager", given);
    expect(train("recorded", given)).toEqual(eager);
    const composed = withoutFusedKernels(() => train("recorded", given));
    for (const [i, value] of composed.weight.entries()) expect(value).toBeCloseTo(eager.weight[i]!, 5);
    expect(composed.kept).toEqual(eager.kept);
  });

  it("gives two variables of the state, made of one tensor, each its own new value", () => {
    const start = values(tf, [SIZE], 1);
    const [a, b] = [variable(start), variable(start)];
    const optimizer = createAdamW(tf, new Map([["a", a], ["b", b]]), [{ names: ["a", "b"], learningRateScale: 1, weightDecay: 0 }]); // biome-ignore format: one line
    const compiled = compile(tf, {
      state: new Map([["a", a], ["b", b], ...optimizer.variables]), // biome-ignore format: one line
      step: ({ factors }: { factors: Tensor }) => ({
        outputs: {},
        updates: optimizer.updates({ a: tf.ones([SIZE]), b: tf.ones([SIZE]).neg() }, factors),
      }),
    });
    for (let i = 0; i < 3; i++) tf.tidy(() => compiled.run({ factors: optimizer.advance(0.1) }));
    for (const [i, value] of start.dataSync().entries()) {
      expect(a.dataSync()[i]).toBeCloseTo(value - 0.3, 4);
      expect(b.dataSync()[i]).toBeCloseTo(value + 0.3, 4);
    }
    compiled.dispose();
  });

  it("tells variables outside the state apart that share their data, and both from a clone", () => {
    const start = tf.scalar(2);
    const [a, b] = [variable(start), variable(start)];
    const clone = a.clone();
    const compiled = compile(tf, {
      state: new Map(),
      step: () => ({ outputs: { y: a.mul(100).add(b.clone().mul(10)).add(clone) } }),
    });
    const y = () => compiled.run({}).y.dataSync()[0];
    expect(y()).toBe(222);
    a.assign(tf.scalar(3));
    expect(y()).toBe(322);
    b.assign(tf.scalar(4));
    expect(y()).toBe(342);
    expect(compiled.explain({}).captures).toEqual([a.name, b.name, "tensor"]);
    compiled.dispose();
  });

  it("reads an argument's tensor from outside as it was, and the argument as it is", () => {
    const first = tf.scalar(2);
    const compiled = compile(tf, {
      state: new Map(),
      step: ({ x }: { x: Tensor }) => ({ outputs: { y: x.mul(10).add(first) } }),
    });
    expect(compiled.run({ x: first }).y.dataSync()[0]).toBe(22);
    expect(compiled.run({ x: tf.scalar(3) }).y.dataSync()[0]).toBe(32);
    compiled.dispose();
  });

  it("refuses a state with one variable under two names", () => {
    const w = variable(tf.scalar(1));
    const state = new Map([["first", w], ["second", w]]); // biome-ignore format: one line
    expect(() => compile(tf, { state, step: () => ({ outputs: {} }) })).toThrow(
      'The state has one variable twice, as "first" and as "second"',
    );
  });
});
