// `npm run bench:kernels`: what each fused kernel saves of a recorded ViT-S fine-tune step of batch 8: the step with all
// kernels against the step with one of them composed of TensorFlow's operations, timed in turn. Says too what the parts of
// the step that have no kernel cost at all.
import { parseArgs } from "node:util";
import { createModelConfig, initialiseParameters } from "@duchenne/model";
import { auLoss, createAuDetector, identityLoss, parameterGroups } from "@duchenne/model/training";
import {
  autocast,
  clipByGlobalNorm,
  compile,
  createAdamW,
  dropPath,
  type FusedKernel,
  loadTensorFlow,
  type Precision,
  seedTensor,
  usesFusedKernels,
  withoutFusedKernels,
} from "@duchenne/tensor";
import { provisionKernels } from "@duchenne/tensor/provision";
import type { Scalar, Tensor, Tensor4D } from "@tensorflow/tfjs";
import { median } from "./compare-sides.ts";
import { describeMachine } from "./machine.ts";

const BATCH = 8;
const { values: flags } = parseArgs({
  options: { rounds: { type: "string", default: "11" }, precision: { type: "string", default: "float32" } },
});
const rounds = Number(flags.rounds);
const precision: Precision = flags.precision === "bfloat16" ? "bfloat16" : "float32";

await provisionKernels();
const tf = await loadTensorFlow();
if (!usesFusedKernels(tf)) throw new Error("The fused kernels were not loaded");
const actionUnits = [1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24];
const config = createModelConfig("small", { actionUnits, numSubjects: 41, dropPath: 0.1 });
const detector = createAuDetector(tf, config, initialiseParameters(config, 1));
const { variables } = detector;
const optimizer = createAdamW(tf, variables, parameterGroups(config, { layerDecay: 0.65, weightDecay: 0.05 }));
const state = new Map([...variables, ...optimizer.variables]);
const factors = optimizer.advance(0);
const targets = tf.zeros([BATCH, actionUnits.length]);
const subjects = tf.range(0, BATCH, 1, "int32");
const images = tf.randomNormal([BATCH, 3, 224, 224], 0, 1, "float32", 1) as Tensor4D;

/** A recorded step that waits for its result. */
function recorded(step: () => { outputs: Record<string, Tensor>; updates?: Map<string, Tensor> }): () => void {
  const compiled = compile(tf, { state, step });
  return () => tf.tidy(() => Object.values(compiled.run({}))[0]!.dataSync());
}

/** The whole step, with some of the kernels composed. */
const stepWithout = (kernels: readonly FusedKernel[]) =>
  recorded(() =>
    withoutFusedKernels(() => {
      const loss = () => {
        const { auLogits, identityLogits } = detector.forward(images, { training: true, lambda: 1, seed: 1 });
        return auLoss(tf, auLogits, targets).add(identityLoss(tf, identityLogits!, subjects, "bce")) as Scalar;
      };
      const { value, grads } = tf.variableGrads(() => autocast(precision, loss), [...variables.values()]);
      const gradients = Object.fromEntries([...variables].map(([name, each]) => [name, grads[each.name]!]));
      return { outputs: { loss: value }, updates: optimizer.updates(gradients, factors) };
    }, kernels),
  );

const gradients = Object.fromEntries([...variables].map(([name, each]) => [name, tf.onesLike(each)]));
const sum = (tensors: readonly Tensor[]) => ({ outputs: { sum: tf.addN(tensors.map((each) => each.sum())) } });
const logits = tf.randomNormal([BATCH, actionUnits.length], 0, 1, "float32", 2);
const parts: Readonly<Record<string, () => void>> = {
  "clipping by the global norm": recorded(() => sum(Object.values(clipByGlobalNorm(tf, gradients, 1).gradients))),
  "a cross-entropy": recorded(() => sum([tf.grad((z: Tensor) => auLoss(tf, z, targets))(logits)])),
  "a block's stochastic depth": recorded(() => sum([dropPath(tf, tf.ones([BATCH]), 0.1, seedTensor(tf, 1))])),
};

/** Milliseconds that all threads of this process have computed: they change less with what else the machine does. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const kernels: readonly FusedKernel[] = ["layerNorm", "gelu", "residual", "adamw", "softmax"];
const steps: Readonly<Record<string, () => void>> = {
  "all kernels": stepWithout([]),
  ...Object.fromEntries(kernels.map((each) => [`without ${each}`, stepWithout([each])])),
  "without any": stepWithout(kernels),
};

/** One timed run of each, in turn: CPU milliseconds of each round. */
function timesOf(runs: Readonly<Record<string, () => void>>): Map<string, number[]> {
  const times = new Map(Object.keys(runs).map((name): [string, number[]] => [name, []]));
  for (let round = -2; round < rounds; round++) {
    for (const [name, run] of Object.entries(runs)) {
      const start = cpuMs();
      run();
      if (round >= 0) times.get(name)!.push(cpuMs() - start);
    }
  }
  return times;
}

const times = timesOf(steps);
const whole = times.get("all kernels")!;
const print = (...cells: readonly string[]) => process.stdout.write(`| ${cells.join(" | ")} |\n`);
process.stdout.write(`${describeMachine()}; ${precision}, ${rounds} rounds, CPU time of all threads\n\n`);
print("step", "median, ms", "more than with all kernels (median of the rounds)");
print("---", "---", "---");
for (const [name, each] of times) {
  const more = median(each.map((time, i) => time / whole[i]! - 1));
  print(name, median(each).toFixed(0), `${(100 * more).toFixed(1)} %`);
}
process.stdout.write("\n");
print("part without a kernel", "median, ms", "of the step");
print("---", "---", "---");
for (const [name, each] of timesOf(parts)) {
  print(name, median(each).toFixed(2), `${((100 * median(each)) / median(whole)).toFixed(2)} %`);
}
