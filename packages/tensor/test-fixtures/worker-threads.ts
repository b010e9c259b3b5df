// Trains in the main thread and in worker threads at once, each with an engine of its own, ends one worker in the middle of its
// steps, and prints what came of it as JSON. A process of its own, for a crash would end it: node worker-threads.ts
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { compile, createAdamW, loadTensorFlow, usesFusedKernels } from "../src/index.ts";
import { operations } from "./fused-operations.ts";

const tf = await loadTensorFlow({ intraOpThreads: 2, interOpThreads: 2 });
const half = operations(tf).find(({ name }) => name === "the MLP half of a block")!;

/** Steps of AdamW on the weights of a half of a block; the losses. */
function train(steps: number): number[] {
  const [input, ...weights] = half.inputs();
  const variables = new Map(weights.map((each, i) => [`${i}`, tf.variable(each)]));
  const optimizer = createAdamW(tf, variables, [
    { names: [...variables.keys()], learningRateScale: 1, weightDecay: 0 },
  ]);
  const compiled = compile(tf, {
    state: new Map([...variables, ...optimizer.variables]),
    step(inputs: Record<"x" | "factors", ReturnType<typeof tf.tensor>>) {
      const loss = () => half.f(inputs.x, ...variables.values()).square().mean().asScalar(); // biome-ignore format: one line
      const { value, grads } = tf.variableGrads(loss, [...variables.values()]);
      const gradients = Object.fromEntries([...variables].map(([key, { name }]) => [key, grads[name]!]));
      return { outputs: { loss: value }, updates: optimizer.updates(gradients, inputs.factors) };
    },
  });
  const losses = Array.from({ length: steps }, () =>
    tf.tidy(() => compiled.run({ x: input!, factors: optimizer.advance(1e-2) }).loss.dataSync()[0]!),
  );
  compiled.dispose();
  return losses;
}

if (isMainThread) {
  const workers = [1, 2, 3].map(() => new Worker(new URL(import.meta.url)));
  const [ended, ...others] = workers;
  const answers = others.map(
    (worker) => new Promise((resolve, reject) => worker.on("message", resolve).on("error", reject)),
  );
  // The first is ended while it trains without end.
  await new Promise<void>((resolve) => ended!.once("message", () => resolve()));
  ended!.postMessage("on and on");
  await new Promise<void>((resolve) => ended!.once("message", () => resolve()));
  const exitCode = await ended!.terminate();
  const losses = [train(20), ...(await Promise.all(answers))];
  await Promise.all(others.map((worker) => worker.terminate()));
  process.stdout.write(JSON.stringify({ fused: usesFusedKernels(tf), losses, exitCode, again: train(20) }));
} else {
  parentPort!.once("message", () => {
    parentPort!.postMessage("begins");
    for (;;) train(20);
  });
  parentPort!.postMessage(train(20));
}
