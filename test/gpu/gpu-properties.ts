// What TensorFlow does with a GPU, as a line of JSON: node gpu-properties.ts [--no-tensor-float-32]. One process, one answer:
// TensorFlow takes its options once.
import { parseArgs } from "node:util";
import {
  compile,
  devices,
  loadTensorFlow,
  memoryStatistics,
  type TensorFlow,
  TensorFlowError,
  usesFusedKernels,
} from "@duchenne/tensor";
import type { Tensor, Tensor2D } from "@tensorflow/tfjs";
import { noise } from "../bench/bench-case.ts";
import { gpuMemoryOf } from "../bench/gpu.ts";

/** What is found. */
export interface GpuProperties {
  readonly devices: readonly { readonly name: string; readonly type: string; readonly memoryBytes: number }[];
  /** Of the GPU, once a small product was computed: little when memory grows as it is needed. */
  readonly bytesAfterProduct: number;
  /** Root mean square of a float32 product's error, relative to that of its result. */
  readonly productError: number;
  /** How a product fails that needs more than the GPU has, and whether the engine works after it. */
  readonly tooLarge: { readonly code: string; readonly worksAfter: boolean };
  readonly fused: boolean;
  /** Over the last of many recorded steps. */
  readonly tensorsGained: number;
  readonly bytesGained: number;
}

const SIDE = 256;
const STEPS = 500;
/** 256 GiB as float32: more than a GPU has. */
const TOO_LARGE = 2 ** 18;

const numbers = (phase: number) => noise(SIDE * SIDE, phase);

/** The product in double precision against TensorFlow's. */
function productError(tf: TensorFlow): number {
  const [a, b] = [numbers(0), numbers(1)];
  const of = (values: Float32Array) => tf.tensor2d(values, [SIDE, SIDE]);
  const computed = tf.tidy(() => of(a).matMul(of(b)).dataSync());
  let [error, size] = [0, 0];
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      let exact = 0;
      for (let i = 0; i < SIDE; i++) exact += a[row * SIDE + i]! * b[i * SIDE + column]!;
      error += (computed[row * SIDE + column]! - exact) ** 2;
      size += exact ** 2;
    }
  }
  return Math.sqrt(error / size);
}

function tooLarge(tf: TensorFlow): GpuProperties["tooLarge"] {
  const sumOfOnes = (side: number) =>
    tf.tidy(
      () =>
        tf
          .ones([side, 1])
          .matMul(tf.ones([1, side]))
          .sum()
          .dataSync()[0],
    );
  let code = "none";
  try {
    sumOfOnes(TOO_LARGE);
  } catch (error) {
    code = error instanceof TensorFlowError ? error.code : String(error);
  }
  return { code, worksAfter: sumOfOnes(64) === 64 * 64 };
}

/** Runs a small step many times. */
async function steadiness(tf: TensorFlow): Promise<Pick<GpuProperties, "tensorsGained" | "bytesGained">> {
  const weight = tf.variable(tf.tensor2d(numbers(2), [SIDE, SIDE]).mul(1 / SIDE) as Tensor2D);
  const step = compile(tf, {
    state: new Map([["weight", weight]]),
    step({ x }: { x: Tensor }) {
      const { value, grads } = tf.variableGrads(() => x.matMul(weight).square().mean().asScalar(), [weight]);
      return {
        outputs: { loss: value as Tensor },
        updates: new Map([["weight", weight.sub(grads[weight.name]!.mul(0.1))]]),
      };
    },
  });
  const run = () => tf.tidy(() => step.run({ x: tf.tensor2d(numbers(3), [SIDE, SIDE]) }).loss.dataSync());
  for (let i = 0; i < STEPS; i++) run();
  const [tensors, bytes] = [memoryStatistics(tf).tensors, await gpuMemoryOf(process.pid)];
  for (let i = 0; i < STEPS; i++) run();
  return {
    tensorsGained: memoryStatistics(tf).tensors - tensors,
    bytesGained: (await gpuMemoryOf(process.pid)) - bytes,
  };
}

const { values: flags } = parseArgs({ options: { "no-tensor-float-32": { type: "boolean", default: false } } });
const tf = await loadTensorFlow({ tensorFloat32: !flags["no-tensor-float-32"] });
const error = productError(tf);
const found: GpuProperties = {
  devices: devices(tf),
  bytesAfterProduct: await gpuMemoryOf(process.pid),
  productError: error,
  fused: usesFusedKernels(tf),
  ...(await steadiness(tf)),
  tooLarge: tooLarge(tf),
};
process.stdout.write(`${JSON.stringify(found)}\n`);
