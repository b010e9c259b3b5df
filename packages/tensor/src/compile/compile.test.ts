import type { Scalar, Tensor, Variable } from "@tensorflow/tfjs";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  type CompileOptions,
  compile,
  createAdamW,
  dropPath,
  loadTensorFlow,
  rawOp,
  seedTensor,
  type TensorFlow,
  type Tensors,
} from "../index.ts";

let tf: TensorFlow;
beforeAll(async () => {
  tf = await loadTensorFlow();
});

/** Numbers without a pattern, the same in every run. */
const values = (shape: number[], phase: number): Tensor => {
  const size = shape.reduce((product, length) => product * length, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(1.7 * i + phase)),
    shape,
  );
};

let weight: Variable;
let variablesBefore: string[];
beforeEach(() => {
  variablesBefore = Object.keys(tf.engine().registeredVariables);
  weight = tf.tidy(() => tf.variable(values([3, 2], 1)));
});
afterEach(() => {
  for (const [name, variable] of Object.entries(tf.engine().registeredVariables)) {
    if (!variablesBefore.includes(name)) variable.dispose();
  }
});

const stepOf = (step: (inputs: Record<string, Tensor>) => Tensors, options: Partial<CompileOptions<Tensors, Tensors>> = {}) =>
  compile<Tensors, Tensors>(tf, { state: new Map([["weight", weight]]), step: (inputs) => ({ outputs: step(inputs) }), ...options }); // biome-ignore format: one call

/** A perceptron that AdamW trains. */
function trainPerceptron(mode: "recorded" | "eager", steps: number) {
  const variables = new Map<string, Variable>(
    Object.entries({ w1: [4, 8], b1: [8], w2: [8, 1] }).map(([name, shape], i) => [
      name,
      tf.tidy(() => tf.variable(values(shape, i))),
    ]),
  );
  const optimizer = createAdamW(tf, variables, [
    { names: ["w1", "w2"], learningRateScale: 1, weightDecay: 0.1 },
    { names: ["b1"], learningRateScale: 0.5, weightDecay: 0 },
  ]);
  const get = (name: string) => variables.get(name)!;
  const compiled = compile(tf, {
    mode,
    state: new Map([...variables, ...optimizer.variables]),
    step({ x, y, factors }: { x: Tensor; y: Tensor; factors: Tensor }) {
      const { value, grads } = tf.variableGrads(() => {
        const hidden = tf.matMul(x, get("w1")).add(get("b1")).tanh(); // biome-ignore format: one line
        return tf.matMul(hidden, get("w2")).sub(y).square().mean() as Scalar; // biome-ignore format: one line
      }, [...variables.values()]);
      const gradients = Object.fromEntries([...variables].map(([name, { name: id }]) => [name, grads[id]!]));
      return { outputs: { loss: value as Tensor }, updates: optimizer.updates(gradients, factors) };
    },
  });
  const losses: number[] = [];
  const alive: number[] = [];
  for (let i = 0; i < steps; i++) {
    tf.tidy(() => {
      const inputs = { x: values([5, 4], i), y: values([5, 1], 2 * i), factors: optimizer.advance(0.01 / (i + 1)) };
      losses.push(compiled.run(inputs).loss.dataSync()[0]!);
    });
    alive.push(tf.memory().numTensors);
  }
  const weights = Object.fromEntries([...variables].map(([name, each]) => [name, [...each.dataSync()]]));
  compiled.dispose();
  optimizer.dispose();
  tf.dispose([...variables.values()]);
  return { losses, weights, alive };
}

describe("a compiled step", () => {
  it("trains as the eager one does, and leaks nothing", () => {
    const recorded = trainPerceptron("recorded", 6);
    const eager = trainPerceptron("eager", 6);
    // Nothing here is fused by TensorFlow's optimiser: equal to the bit.
    expect(recorded.losses).toEqual(eager.losses);
    expect(recorded.weights).toEqual(eager.weights);
    expect(new Set(recorded.alive.slice(1)).size).toBe(1);
    expect(new Set(eager.alive.slice(1)).size).toBe(1);
  });

  it("is recorded once for each combination of shapes, and forgets the one not used for longest", () => {
    let recordings = 0;
    const compiled = stepOf(
      ({ x }) => {
        recordings++;
        return { y: tf.matMul(x!, weight) };
      },
      { cacheSize: 2 },
    );
    const run = (rows: number) => expect(compiled.run({ x: tf.ones([rows, 3]) }).y!.shape).toEqual([rows, 2]);
    for (const rows of [1, 1, 2, 1, 3, 1]) run(rows);
    expect(recordings).toBe(3);
    run(2);
    expect(recordings).toBe(4);
    compiled.dispose();
    compiled.dispose();
    expect(() => run(1)).toThrow("was disposed");
  });

  it("sees what other inputs and the state have become, without a new recording", () => {
    let recordings = 0;
    const compiled = stepOf(({ x, rate }) => {
      recordings++;
      return { y: weight.mul(x!).mul(rate!).sum() };
    });
    const y = (x: number, rate: number) => compiled.run({ x: tf.scalar(x), rate: tf.scalar(rate) }).y!.dataSync()[0]!;
    const sum = weight.sum().dataSync()[0]!;
    expect(y(1, 1)).toBeCloseTo(sum, 6);
    expect(y(2, 3)).toBeCloseTo(6 * sum, 5);
    weight.assign(tf.ones([3, 2]));
    expect(y(1, 0.5)).toBe(3);
    expect(recordings).toBe(1);
    compiled.dispose();
  });

  it("updates the state and leaves copies of it alone", () => {
    const before = weight.clone();
    const kept = [...before.dataSync()];
    const compiled = compile(tf, {
      state: new Map([["weight", weight]]),
      step: ({ x }: { x: Tensor }) => ({
        outputs: { old: weight.mul(1), same: weight as Tensor, x },
        updates: new Map([["weight", weight.add(x)]]),
      }),
    });
    const { old, same, x } = compiled.run({ x: tf.scalar(1) });
    expect([...old.dataSync()]).toEqual(kept);
    expect([...same.dataSync()]).toEqual(kept);
    expect([...x.dataSync()]).toEqual([1]);
    expect([...before.dataSync()]).toEqual(kept);
    expect([...weight.dataSync()]).toEqual(kept.map((value) => Math.fround(value + 1)));
    compiled.dispose();
  });

  it("reads tensors and variables from outside: the former as they were, the latter as they are", () => {
    const captured = values([3, 2], 4);
    const sum = captured.sum().dataSync()[0]!;
    const frozen = tf.variable(tf.scalar(2), false);
    const compiled = stepOf(() => ({ y: captured.sum().mul(frozen) }));
    expect(compiled.explain({}).captures).toEqual(["tensor", frozen.name]);
    expect(compiled.run({}).y!.dataSync()[0]).toBe(2 * sum);
    frozen.assign(tf.scalar(3));
    captured.dispose();
    expect(compiled.run({}).y!.dataSync()[0]).toBe(Math.fround(3 * sum));
    frozen.dispose();
    expect(() => compiled.run({})).toThrow("which was disposed");
    compiled.dispose();
  });

  it("takes one tensor twice, and other ones later", () => {
    const compiled = stepOf(({ a, b }) => ({ y: a!.sub(b!) }));
    const one = tf.scalar(1);
    expect(compiled.run({ a: one, b: one }).y!.dataSync()[0]).toBe(0);
    expect(compiled.run({ a: tf.scalar(5), b: one }).y!.dataSync()[0]).toBe(4);
    compiled.dispose();
  });

  it("drops the same samples as eagerly, from a seed that is an input", () => {
    let recordings = 0;
    const compiled = stepOf(({ x, seed }) => {
      recordings++;
      return { y: dropPath(tf, x!, 0.5, seed!, 3) };
    });
    const x = tf.ones([40, 2]);
    const dropped = (seed: number) => [...compiled.run({ x, seed: seedTensor(tf, seed) }).y!.dataSync()];
    for (const seed of [0, 7, 2 ** 40 + 5])
      expect(dropped(seed)).toEqual([...dropPath(tf, x, 0.5, seed, 3).dataSync()]);
    expect(dropped(7)).not.toEqual(dropped(8));
    expect(dropped(7)).not.toEqual([...dropPath(tf, x, 0.5, 7, 4).dataSync()]);
    expect(recordings).toBe(1);
    compiled.dispose();
  });

  it("computes in bfloat16 within", () => {
    const compiled = stepOf(({ x }) => {
      const half = rawOp(tf, "Cast", [tf.matMul(x!, weight)], { DstT: "bfloat16" })[0];
      return { half, whole: rawOp(tf, "Cast", [half.mul(half)], { DstT: "float32" })[0] };
    });
    const x = values([4, 3], 2);
    const { half, whole } = compiled.run({ x });
    const product = tf.matMul(x, weight).dataSync();
    for (const [i, value] of half!.dataSync().entries()) expect(value).toBeCloseTo(product[i]!, 1);
    for (const [i, value] of whole!.dataSync().entries()) expect(value).toBeCloseTo(product[i]! ** 2, 1);
    compiled.dispose();
  });

  it("may be compiled by XLA", () => {
    const step = ({ x }: Record<string, Tensor>) => ({ y: tf.matMul(x!, weight).tanh() });
    const [plain, xla] = [stepOf(step), stepOf(step, { xla: true })];
    const x = values([4, 3], 2);
    const expected = plain.run({ x }).y!.dataSync();
    for (const [i, value] of xla.run({ x }).y!.dataSync().entries()) expect(value).toBeCloseTo(expected[i]!, 5);
    plain.dispose();
    xla.dispose();
  });

  it("is explained: operations by number, and by time when asked", () => {
    const compiled = stepOf(
      ({ x }) => ({
        y: tf.matMul(x!, weight).square().sum(),
      }),
      { name: "mine" },
    );
    const before = [...weight.dataSync()];
    const { nodes, operations, inputs, outputs, updates, times } = compiled.explain(
      { x: tf.ones([4, 3]) },
      { times: true },
    );
    expect(nodes).toBe([...operations.values()].reduce((sum, count) => sum + count, 0));
    expect(operations.get("Square")).toBe(1);
    expect({ inputs, outputs, updates }).toEqual({ inputs: ["x"], outputs: ["y"], updates: [] });
    const square = times!.find(({ operation }) => operation === "Square")!;
    expect(square.count).toBe(1);
    expect(square.milliseconds).toBeGreaterThan(0);
    expect(compiled.explain({ x: tf.ones([4, 3]) }).times).toBeUndefined();
    expect([...weight.dataSync()]).toEqual(before);
    compiled.dispose();
  });
});

describe("compiling", () => {
  it("refuses a device that there is not, and a cache that holds nothing", () => {
    expect(() => stepOf(() => ({}), { device: "/device:GPU:0" })).toThrow('Expected one of the devices /device:CPU:0, got "/device:GPU:0"'); // biome-ignore format: one line
    expect(() => stepOf(() => ({}), { cacheSize: 0 })).toThrow("Expected a cache of at least 1 function, got 0");
  });
  it("is no part of a gradient, nor of another step", () => {
    const inner = stepOf(({ x }) => ({ y: x!.square() }));
    expect(() => tf.grad((x: Tensor) => inner.run({ x }).y!.sum())(tf.scalar(1))).toThrow("call its function there");
    const outer = stepOf(({ x }) => inner.run({ x: x! }));
    expect(() => outer.run({ x: tf.scalar(1) })).toThrow("call its function there");
    inner.dispose();
    outer.dispose();
  });
});
