import type { Tensor, Variable } from "@tensorflow/tfjs";
import { expect, it } from "vitest";
import { numbers, operations, relativeError, values } from "../../test-fixtures/fused-operations.ts";
import { compile, createAdamW, loadTensorFlow, rawOp, usesFusedKernels } from "../index.ts";
import { provisionKernels } from "../provision/index.ts";

await provisionKernels();
const tf = await loadTensorFlow();

const half = operations(tf).find(({ name }) => name === "the MLP half of a block with stochastic depth")!;

/** Two steps of AdamW on the weights of a half of a block. */
function train(options: { readonly xla?: boolean; readonly mode?: "eager" }) {
  const [x, ...weights] = half.inputs() as [Tensor, ...Tensor[]];
  const variables = new Map(weights.map((each, i): [string, Variable] => [`${i}`, tf.variable(each)]));
  const group = { names: [...variables.keys()], learningRateScale: 1, weightDecay: 0.1 };
  const optimizer = createAdamW(tf, variables, [group]);
  const compiled = compile(tf, {
    ...options,
    state: new Map([...variables, ...optimizer.variables]),
    step({ x, factors }: { x: Tensor; factors: Tensor }) {
      const loss = () => half.f(x, ...variables.values()).mul(values(tf, x.shape, 2.3)).sum().asScalar(); // biome-ignore format: one line
      const { value, grads } = tf.variableGrads(loss, [...variables.values()]);
      const gradients = Object.fromEntries([...variables].map(([key, { name }]) => [key, grads[name]!]));
      return { outputs: { loss: value }, updates: optimizer.updates(gradients, factors) };
    },
  });
  const losses = [1, 2].map(() =>
    tf.tidy(() => compiled.run({ x, factors: optimizer.advance(1e-3) }).loss.dataSync()[0]!),
  );
  const operationNames = options.mode === "eager" ? [] : [...compiled.explain({ x, factors: tf.zeros([1, 3]) }).operations.keys()]; // biome-ignore format: one line
  const trained = [...variables.values()].map(numbers);
  compiled.dispose();
  optimizer.dispose();
  return { losses, trained, fused: operationNames.filter((name) => name.startsWith("Duchenne")) };
}

it("a step that XLA compiles runs on compositions, gradients and updates too, as XLA knows no fused kernel", () => {
  expect(usesFusedKernels(tf)).toBe(true);
  const [plain, compiled, eager] = [train({}), train({ xla: true }), train({ xla: true, mode: "eager" })];
  expect(plain.fused).toContain("DuchenneAdamW");
  expect(compiled.fused).toEqual([]);
  for (const other of [compiled, eager]) {
    for (const [i, loss] of other.losses.entries()) expect(loss / plain.losses[i]!).toBeCloseTo(1, 5);
    for (const [i, each] of other.trained.entries()) expect(relativeError(each, plain.trained[i]!)).toBeLessThan(1e-4);
  }
  expect(usesFusedKernels(tf)).toBe(true);
});

it("a fused kernel within a step for XLA, past the compositions, is an error that names it", () => {
  const compiled = compile(tf, {
    xla: true,
    state: new Map(),
    step: ({ x }: { x: Tensor }) => ({
      outputs: { y: rawOp(tf, "DuchenneBiasGelu", [x, tf.zeros([0])], { T: "float32" })[0] },
    }),
  });
  expect(() => compiled.run({ x: tf.ones([2, 3]) })).toThrow(/DuchenneBiasGelu/);
  compiled.dispose();
});
