import type { Tensor, Variable } from "@tensorflow/tfjs";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  type CompileOptions,
  compile,
  loadTensorFlow,
  rawOp,
  type StepResult,
  type TensorFlow,
  type Tensors,
} from "../index.ts";

let tf: TensorFlow;
beforeAll(async () => {
  tf = await loadTensorFlow();
});

let weight: Variable;
beforeEach(() => {
  weight = tf.tidy(() => tf.variable(tf.ones([3, 2])));
});
afterEach(() => weight.dispose());

const sines = (shape: number[]): Tensor => {
  const size = shape.reduce((product, length) => product * length, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(1.7 * i)),
    shape,
  );
};

describe("a step that cannot be recorded", () => {
  const refused = (
    step: (inputs: Record<string, Tensor>) => unknown,
    options: Partial<CompileOptions<Tensors, Tensors>> = {},
  ) => {
    const compiled = compile<Tensors, Tensors>(tf, {
      state: new Map([["weight", weight]]),
      step: (inputs) => step(inputs) as StepResult<Tensors>,
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
    expect(message).toMatch(/\(at \S+cannot-record-error\.test\.ts:\d+:\d+\)/);
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
    cannot(({ x }) => output(tf.multinomial(x!.as2D(4, 3), 3)), "Multinomial");
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
    const message = cannot(({ x }) => output(x!.sum().mul(sines([600, 600]).sum())), "A constant of 1440000 bytes (float32 [600, 600])"); // biome-ignore format: one line
    expect(message).toContain("at most 1048576 bytes");
    expect(refused(({ x }) => output(x!.sum().mul(tf.zeros([600, 600]).sum())))).toBeUndefined();
    const small = ({ x }: Record<string, Tensor>) => output(x!.sum().mul(sines([10]).sum()));
    expect(refused(small)).toBeUndefined();
    expect(refused(small, { maxConstantBytes: 39 })?.message).toContain("A constant of 40 bytes");
  });
  it("uses a tensor of another recording", () => {
    let kept: Tensor | undefined;
    const first = compile(tf, {
      state: new Map(),
      step: ({ x }: { x: Tensor }) => {
        kept = tf.keep(x.add(1));
        return { outputs: { y: kept } };
      },
    });
    expect([...first.run({ x: tf.scalar(1) }).y.dataSync()]).toEqual([2]);
    cannot(({ x }) => output(x!.add(kept!)), "A tensor of another recording, or one that was disposed");
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
    expect(error.stack).toContain("cannot-record-error.test.ts");
  });
  it("throws an error of its own", () => {
    expect(refused(() => { throw new Error("mine"); }).message).toBe("mine"); // biome-ignore format: one line
    expect(refused(() => tf.variableGrads(() => { throw new Error("within a gradient"); })).message).toBe("within a gradient"); // biome-ignore format: one line
  });
});
