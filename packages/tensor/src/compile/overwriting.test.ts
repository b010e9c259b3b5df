import type { Tensor, Variable } from "@tensorflow/tfjs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { values } from "../../test-fixtures/fused-operations.ts";
import { type AdamW, compile, createAdamW, loadTensorFlow, type TensorFlow, type Tensors } from "../index.ts";
import { provisionKernels } from "../provision/index.ts";
import type { StepResult } from "./step.ts";

await provisionKernels();
const tf: TensorFlow = await loadTensorFlow();

const SIZE = 300_000;
let weight: Variable;
let optimizer: AdamW;
beforeEach(() => {
  weight = tf.tidy(() => tf.variable(values(tf, [SIZE], 1)));
  optimizer = createAdamW(tf, new Map([["w", weight]]), [{ names: ["w"], learningRateScale: 1, weightDecay: 0.5 }]);
});
afterEach(() => {
  optimizer.dispose();
  weight.dispose();
});

const ones = () => ({ w: tf.ones([SIZE]) });
const squares = (x: Tensor) => tf.tidy(() => x.square().sum().dataSync()[0]!);

describe("an optimizer that overwrites its weights within a compiled step", () => {
  it.each(["recorded", "eager"] as const)("spares clones, and runs after other readers of a weight: %s", (mode) => {
    const kept = weight.clone();
    const compiled = compile(tf, {
      mode,
      state: new Map([["w", weight], ...optimizer.variables]),
      step({ factors }: { factors: Tensor }) {
        const before = weight.reshape([2, -1]).square().sum();
        const rows = tf.unstack(weight.reshape([3, -1])).map((row) => row.square().sum());
        return { outputs: { before, rows: tf.addN(rows) }, updates: optimizer.updates(ones(), factors) };
      },
    });
    for (let i = 0; i < 5; i++) {
      const expected = squares(weight);
      tf.tidy(() => {
        const { before, rows } = compiled.run({ factors: optimizer.advance(0.1) });
        expect(before.dataSync()[0]).toBe(expected);
        expect(rows.dataSync()[0]! / expected).toBeCloseTo(1, 5);
      });
    }
    expect([...kept.dataSync().subarray(0, 9)]).toEqual([...values(tf, [SIZE], 1).dataSync().subarray(0, 9)]);
    expect(weight.dataSync()[0]).not.toBe(kept.dataSync()[0]);
    compiled.dispose();
    kept.dispose();
  });

  it("does not change what the step answers of the weight, also where TensorFlow would compute nothing", () => {
    const compiled = compile(tf, {
      state: new Map([["w", weight], ...optimizer.variables]),
      step({ factors }: { factors: Tensor }) {
        const outputs = { product: weight.mul(1), sum: weight.add(0), difference: weight.sub(tf.zeros([SIZE])) };
        return { outputs, updates: optimizer.updates(ones(), factors) };
      },
    });
    const before = [...weight.dataSync()];
    const outputs = tf.tidy(() => compiled.run({ factors: optimizer.advance(0.1) }));
    for (const each of Object.values(outputs)) expect([...each.dataSync()]).toEqual(before);
    expect([...weight.dataSync()]).not.toEqual(before);
    compiled.dispose();
  });

  it("leaves weights and moments as they were when the step fails in another operation", () => {
    const compiled = compile(tf, {
      state: new Map([["w", weight], ...optimizer.variables]),
      step: ({ factors, at }: { factors: Tensor; at: Tensor }) => ({
        outputs: { y: tf.gather(weight, at) },
        updates: optimizer.updates(ones(), factors),
      }),
    });
    const state = () => [weight, ...optimizer.variables.values()].map(squares);
    const before = state();
    for (let i = 0; i < 10; i++) {
      const run = () => compiled.run({ factors: optimizer.advance(0.1), at: tf.tensor1d([SIZE], "int32") });
      expect(() => tf.tidy(run)).toThrow("is not in [0, 300000)");
      expect(state()).toEqual(before);
    }
    compiled.dispose();
  });

  const refusals: readonly [string, string, (factors: Tensor) => StepResult<Tensors>][] = [
    ["the weight is read after its update", "Reading a weight, or a view of one, after", (factors) => {
      const updates = optimizer.updates(ones(), factors);
      return { outputs: { after: weight.square().sum() }, updates };
    }],
    ["a view of it is read after its update", "Reading a weight, or a view of one, after", (factors) => {
      const view = weight.reshape([2, -1]);
      const updates = optimizer.updates(ones(), factors);
      return { outputs: { after: view.square().sum() }, updates };
    }],
    ["rows of it are read after its update", "Reading a weight, or a view of one, after", (factors) => {
      const [row] = tf.unstack(weight.reshape([2, -1]));
      const updates = optimizer.updates(ones(), factors);
      return { outputs: { after: row!.square().sum() }, updates };
    }],
    ["the weight is an output", "Reading a weight, or a view of one, after", (factors) => (
      { outputs: { weight }, updates: optimizer.updates(ones(), factors) }
    )],
    ["a view of it is an output", "Reading a weight, or a view of one, after", (factors) => (
      { outputs: { view: weight.reshape([2, -1]) }, updates: optimizer.updates(ones(), factors) }
    )],
    ["it is updated twice", "Reading a weight, or a view of one, after", (factors) => {
      optimizer.updates(ones(), factors);
      return { outputs: {}, updates: optimizer.updates(ones(), factors) };
    }],
    ["the gradient is the weight", "Overwriting a variable that the same operation reads", (factors) => (
      { outputs: {}, updates: optimizer.updates({ w: weight }, factors) }
    )],
    ["an update is not returned", 'Overwriting "w" without an update', (factors) => {
      const updates = optimizer.updates(ones(), factors);
      updates.delete("w");
      return { outputs: {}, updates };
    }],
  ]; // biome-ignore format: a table
  it.each(refusals)("is refused, and nothing changes, when %s", (_, what, step) => {
    const compiled = compile<{ factors: Tensor }, Tensors>(tf, {
      state: new Map([["w", weight], ...optimizer.variables]),
      step: ({ factors }) => step(factors),
    });
    const before = squares(weight);
    expect(() => tf.tidy(() => compiled.run({ factors: optimizer.advance(0.1) }))).toThrow(
      expect.objectContaining({
        reason: "CANNOT_RECORD",
        message: expect.stringMatching(new RegExp(`^${what}.* cannot be recorded \\(at \\S+overwriting\\.test\\.ts`)),
      }),
    );
    expect(squares(weight)).toBe(before);
    compiled.dispose();
  });

  it("is refused when the moments are no part of the state, or the weights an input", () => {
    const onlyWeight = compile(tf, {
      state: new Map([["w", weight]]),
      step: ({ factors }: { factors: Tensor }) => {
        const w = optimizer.updates(ones(), factors).get("w")!;
        return { outputs: {}, updates: new Map([["w", w]]) };
      },
    });
    expect(() => onlyWeight.run({ factors: optimizer.advance(0.1) })).toThrow(
      "Overwriting what is no part of the state",
    );
    const nothing = compile(tf, {
      state: new Map(),
      step: ({ factors }: { factors: Tensor }) => ({ outputs: { w: optimizer.updates(ones(), factors).get("w")! } }),
    });
    expect(() => nothing.run({ factors: optimizer.advance(0.1) })).toThrow("Overwriting what is no part of the state");
  });
});
