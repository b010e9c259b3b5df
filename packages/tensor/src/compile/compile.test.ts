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
        const hidden = tf.matMul(x as never, get("w1") as never).add(get("b1")).tanh(); // biome-ignore format: one line
        return tf.matMul(hidden as never, get("w2") as never).sub(y).square().mean() as Scalar; // biome-ignore format: one line
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
        return { y: tf.matMul(x as never, weight as never) };
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
      const half = rawOp(tf, "Cast", [tf.matMul(x as never, weight as never)], { DstT: "bfloat16" })[0]!;
      return { half, whole: rawOp(tf, "Cast", [half.mul(half)], { DstT: "float32" })[0]! };
    });
    const x = values([4, 3], 2);
    const { half, whole } = compiled.run({ x });
    const product = tf.matMul(x as never, weight as never).dataSync();
    for (const [i, value] of half!.dataSync().entries()) expect(value).toBeCloseTo(product[i]!, 1);
    for (const [i, value] of whole!.dataSync().entries()) expect(value).toBeCloseTo(product[i]! ** 2, 1);
    compiled.dispose();
  });

  it("lets the optimiser cast matrix products", () => {
    const wide = tf.variable(values([256, 256], 3));
    const product = (precision: "float32" | "bfloat16") => {
      const step = ({ x }: Record<string, Tensor>) => ({
        y: tf.matMul(tf.matMul(x as never, wide as never), wide as never),
      });
      const compiled = stepOf(step, { precision });
      const { y } = compiled.run({ x: values([64, 256], 5) });
      compiled.dispose();
      return [...y!.dataSync()];
    };
    const [exact, rounded] = [product("float32"), product("bfloat16")];
    const error = Math.hypot(...exact.map((value, i) => value - rounded[i]!)) / Math.hypot(...exact);
    expect(error).toBeLessThan(0.02);
  });

  it("may be compiled by XLA", () => {
    const step = ({ x }: Record<string, Tensor>) => ({ y: tf.matMul(x as never, weight as never).tanh() });
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
        y: tf
          .matMul(x as never, weight as never)
          .square()
          .sum(),
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

describe("a step that cannot be recorded", () => {
  const refused = (
    step: (inputs: Record<string, Tensor>) => unknown,
    options: Partial<CompileOptions<Tensors, Tensors>> = {},
  ) => {
    const compiled = compile<Tensors, Tensors>(tf, {
      state: new Map([["weight", weight]]),
      step: step as never,
      ...options,
    });
    const before = tf.memory().numTensors;
    const dataId = weight.dataId;
    let refusal: unknown;
    const x = tf.ones([4, 3]);
    try {
      tf.dispose(compiled.run({ x }));
    } catch (error) {
      refusal = error;
    }
    x.dispose();
    // All is as before: the next step works.
    expect(tf.memory().numTensors).toBe(before);
    expect(weight.dataId).toBe(dataId);
    expect([...tf.add(1, 1).dataSync()]).toEqual([2]);
    compiled.dispose();
    return refusal as Error & { reason?: string };
  };
  const cannot = (step: (inputs: Record<string, Tensor>) => unknown, what: string) => {
    const { message, reason } = refused(step);
    expect(reason).toBe("CANNOT_RECORD");
    expect(message).toContain(`${what} cannot be recorded (at `);
    expect(message).toMatch(/\(at \S+compile\.test\.ts:\d+:\d+\)/);
    return message;
  };
  const output = (y: unknown) => ({ outputs: { y } });

  it("reads a value", () => {
    cannot(({ x }) => output(x!.mul(x!.sum().dataSync()[0]!)), "Reading a value (dataSync, data, arraySync, ...)");
    cannot(({ x }) => output(x!.arraySync()), "Reading a value (dataSync, data, arraySync, ...)");
    cannot(() => output(weight.dataSync()), "Reading a value (dataSync, data, arraySync, ...)");
  });
  it("draws numbers in JavaScript, with or without a seed", () => {
    cannot(() => output(tf.randomUniform([2])), "tf.randomUniform");
    cannot(() => output(tf.randomUniform([2], 0, 1, "float32", 7)), "tf.randomUniform");
    cannot(() => output(tf.randomNormal([2])), "tf.randomNormal");
    cannot(() => output(tf.truncatedNormal([2])), "tf.truncatedNormal");
    cannot(({ x }) => output(tf.dropout(x!, 0.5)), "tf.randomUniform");
  });
  it("draws numbers from a state that TensorFlow keeps", () => {
    cannot(({ x }) => output(tf.multinomial(x as never, 3)), "Multinomial");
    cannot(
      () => output(rawOp(tf, "RandomUniform", [tf.tensor1d([2], "int32")], { dtype: "float32" })[0]),
      "RandomUniform",
    );
  });
  it("has a shape that depends on values", () => {
    cannot(({ x }) => output(rawOp(tf, "Where", [x!])[0]), "Where");
  });
  it("makes a variable, or assigns to one", () => {
    cannot(() => output(tf.variable(tf.ones([2]))), "Making a variable");
    cannot(({ x }) => {
      weight.assign(tf.ones([3, 2]));
      return output(x);
    }, "Assigning to a variable");
  });
  it("would freeze a large constant; equal elements are no matter", () => {
    const message = cannot(({ x }) => output(x!.sum().mul(values([600, 600], 1).sum())), "A constant of 1440000 bytes (float32 [600, 600])"); // biome-ignore format: one line
    expect(message).toContain("at most 1048576 bytes");
    expect(refused(({ x }) => output(x!.sum().mul(tf.zeros([600, 600]).sum())))).toBeUndefined();
    const small = ({ x }: Record<string, Tensor>) => output(x!.sum().mul(values([10], 1).sum()));
    expect(refused(small)).toBeUndefined();
    expect(refused(small, { maxConstantBytes: 39 })?.message).toContain("A constant of 40 bytes");
  });
  it("uses a tensor of another recording", () => {
    let kept: Tensor | undefined;
    const first = stepOf(({ x }) => {
      kept = tf.keep(x!.add(1));
      return { y: kept };
    });
    expect([...first.run({ x: tf.scalar(1) }).y!.dataSync()]).toEqual([2]);
    cannot(({ x }) => output(x!.add(kept!)), "A tensor of another recording, or one that was disposed,");
    expect(() => kept!.dataSync()).toThrow("belongs to a recording");
    kept!.dispose();
    first.dispose();
  });
  it("answers what does not fit its state", () => {
    const updates = (name: string, value: Tensor) => ({ outputs: {}, updates: new Map([[name, value]]) });
    expect(refused(() => updates("weight", tf.zeros([2]))).message).toBe('Expected "weight" to become float32 [3,2], got float32 [2]'); // biome-ignore format: one line
    expect(refused(() => updates("other", tf.zeros([2]))).message).toBe('Expected an update of the state, got one of "other"'); // biome-ignore format: one line
    expect(refused(async () => output(tf.zeros([1]))).message).toContain('no "async" function');
  });
  it("fails in an operation, and says where", () => {
    const error = refused(({ x }) => output(rawOp(tf, "MatMul", [x!, x!])[0]));
    expect(error).toMatchObject({ name: "TensorFlowError", code: "invalid_argument" });
    expect(error.stack).toContain("compile.test.ts");
  });
  it("throws an error of its own", () => {
    expect(refused(() => { throw new Error("mine"); }).message).toBe("mine"); // biome-ignore format: one line
    expect(refused(() => tf.variableGrads(() => { throw new Error("within a gradient"); }) as never).message).toBe("within a gradient"); // biome-ignore format: one line
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
