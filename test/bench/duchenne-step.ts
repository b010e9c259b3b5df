// Our side of `npm run bench:train`: node duchenne-step.ts CASE_FOLDER. Commands come line by line on standard input,
// answers go as JSON lines to standard output: "steps N", "weights FILE", "profile", "memory".
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { MaeConfig, ModelConfig, Parameter } from "@duchenne/model";
import { patchCount } from "@duchenne/model";
import { auLoss, createAuDetector, createMae, identityLoss, maskTensors } from "@duchenne/model/training";
import {
  autocast,
  compile,
  createAdamW,
  devices,
  loadTensorFlow,
  seedTensor,
  usesFusedKernels,
} from "@duchenne/tensor";
import type { Scalar, Tensor, Tensor4D, Variable } from "@tensorflow/tfjs";
import type { BenchCase } from "./bench-case.ts";

const folder = process.argv[2]!;
/** A file's memory; a small one is read into a buffer that Node shares, at an offset that need not be aligned. */
function memoryOf(name: string): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = readFileSync(join(folder, name));
  return byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength);
}
const floats = (name: string) => new Float32Array(memoryOf(name));
const integers = (name: string) => new Int32Array(memoryOf(name));
const { device, xla, threads, batch, precision, groups, betas, lambda, learningRate, parameters } = JSON.parse(
  readFileSync(join(folder, "case.json"), "utf8"),
) as BenchCase;
const config = JSON.parse(readFileSync(join(folder, "config.json"), "utf8")) as ModelConfig | MaeConfig;

function initialParameters(): Map<string, Parameter> {
  const values = floats("parameters.bin");
  let start = 0;
  return new Map(
    parameters.map(({ name, shape }) => {
      const end = start + shape.reduce((product, side) => product * side, 1);
      const data = values.subarray(start, end);
      start = end;
      return [name, { shape, data }];
    }),
  );
}

const tf = await loadTensorFlow({ intraOpThreads: threads, interOpThreads: threads });
if (device === "cuda" && !devices(tf).some(({ type }) => type === "GPU")) {
  throw new Error(`TensorFlow found no GPU, only ${devices(tf).map(({ name }) => name)}`);
}
const side = config.imageSize;
const pixels = floats("images.bin");
const images = () => tf.tensor4d(pixels, [batch, 3, side, side]);

/** What is trained: its variables, its loss, and one batch for it. */
interface Trainee {
  readonly variables: ReadonlyMap<string, Variable>;
  loss(inputs: Record<string, Tensor>): Scalar;
  inputs(): Record<string, Tensor>;
}

function detector(config: ModelConfig): Trainee {
  const model = createAuDetector(tf, config, initialParameters());
  const [targets, subjects] = [floats("targets.bin"), integers("subjects.bin")];
  return {
    variables: model.variables,
    loss({ images, targets, subjects, seed }) {
      const pass = { training: true, lambda, seed: seed! };
      const { auLogits, identityLogits } = model.forward(images as Tensor4D, pass);
      return auLoss(tf, auLogits, targets!).add(identityLoss(tf, identityLogits!, subjects!, "bce")) as Scalar;
    },
    inputs: () => ({
      images: images(),
      targets: tf.tensor2d(targets, [batch, config.actionUnits.length]),
      subjects: tf.tensor1d(subjects, "int32"),
    }),
  };
}

function autoencoder(config: MaeConfig): Trainee {
  const model = createMae(tf, config, initialParameters());
  const mask = { kept: integers("kept.bin"), restore: integers("restore.bin"), masked: floats("masked.bin") };
  return {
    variables: model.variables,
    loss: ({ images, kept, places, masked }) =>
      model.forward(images as Tensor4D, { kept: kept!, places: places!, masked: masked! }, { normPixLoss: true })
        .loss as Scalar,
    inputs: () => ({ images: images(), ...maskTensors(tf, mask, patchCount(config)) }),
  };
}

const { variables, loss, inputs } = config.kind === "vit" ? detector(config) : autoencoder(config);
const optimizer = createAdamW(tf, variables, groups, { beta1: betas[0], beta2: betas[1] });
let recordings = 0;
const compiled = compile(tf, {
  xla,
  state: new Map([...variables, ...optimizer.variables]),
  step(given: Record<string, Tensor>) {
    recordings++;
    const { value, grads } = tf.variableGrads(() => autocast(precision, () => loss(given)), [...variables.values()]);
    const gradients = Object.fromEntries([...variables].map(([name, variable]) => [name, grads[variable.name]!]));
    return { outputs: { loss: value as Tensor }, updates: optimizer.updates(gradients, given.factors!) };
  },
});

let steps = 0;
const given = () => ({ ...inputs(), seed: seedTensor(tf, steps), factors: optimizer.advance(learningRate) });
/** From arrays in JavaScript to the loss as a number. */
function step(): number {
  steps++;
  return tf.tidy(() => compiled.run(given()).loss!.dataSync()[0]!);
}

/** Records the step; with times, also runs it once, without giving the state new values. */
function explainWith(make: () => Record<string, Tensor>, times: boolean) {
  const tensors = tf.tidy(make);
  const explanation = compiled.explain(tensors, { times });
  tf.dispose(tensors);
  return explanation;
}

/** Garbage of JavaScript does not count as resident: when it is collected says nothing about what a step keeps. */
function memory() {
  globalThis.gc?.();
  const status = readFileSync("/proc/self/status", "utf8");
  const read = (key: string) => Number(new RegExp(`${key}:\\s+(\\d+) kB`).exec(status)![1]) * 1024;
  return { peakBytes: read("VmHWM"), residentBytes: read("VmRSS"), tensors: tf.memory().numTensors };
}

const answer = (fields: object) => process.stdout.write(`${JSON.stringify(fields)}\n`);

const start = performance.now();
explainWith(() => ({ ...inputs(), seed: seedTensor(tf, 0), factors: tf.zeros([groups.length, 3]) }), false);
answer({ recordMilliseconds: performance.now() - start, fused: usesFusedKernels(tf), ...memory() });

for await (const line of createInterface({ input: process.stdin })) {
  const [command, argument = ""] = line.trim().split(" ");
  if (command === "steps") {
    const milliseconds: number[] = [];
    const losses: number[] = [];
    for (let i = 0; i < Number(argument); i++) {
      const before = performance.now();
      losses.push(step());
      milliseconds.push(performance.now() - before);
    }
    answer({ milliseconds, losses, recordings });
  } else if (command === "weights") {
    const all = parameters.map(({ name }) => variables.get(name)?.dataSync() as Float32Array | undefined);
    const kept = initialParameters();
    await writeFile(
      argument,
      Buffer.concat(parameters.map(({ name }, i) => new Uint8Array((all[i] ?? kept.get(name)!.data).slice().buffer))),
    );
    answer({ written: true });
  } else if (command === "profile") {
    answer({ times: explainWith(given, true).times });
  } else if (command === "memory") answer(memory());
}
