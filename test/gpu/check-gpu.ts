// `npm run check:gpu`: what tests on a machine without a GPU cannot know. Ends with 1 when a check fails.
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type CaseOptions, writeCase } from "../bench/bench-case.ts";
import { startSide } from "../bench/bench-side.ts";
import { readFloats } from "../bench/check-sides.ts";
import { describeGpus } from "../bench/gpu.ts";
import type { GpuProperties } from "./gpu-properties.ts";

const GIB = 2 ** 30;
const STEPS = 20;
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
let failed = 0;

function check(what: string, holds: boolean, found: string): void {
  if (!holds) failed++;
  process.stdout.write(`${holds ? "ok  " : "FAIL"} ${what}: ${found}\n`);
}

async function propertiesWith(...args: string[]): Promise<GpuProperties> {
  const { stdout } = await promisify(execFile)(process.execPath, [here("gpu-properties.ts"), ...args]);
  return JSON.parse(stdout) as GpuProperties;
}

/** A run of training steps: losses, and the weights at the end. */
interface Trained {
  readonly losses: readonly number[];
  readonly weights: Float32Array;
}

/** Trains a small detector. @param hidden hides the GPU from TensorFlow */
async function trained(scratch: string, options: Partial<CaseOptions>, hidden = false): Promise<Trained> {
  const folder = await mkdtemp(join(scratch, "case-"));
  const fixed = { variant: "micro", task: "fine-tune", batch: 8, precision: "float32", dropPath: 0 } as const;
  const machine = { device: hidden ? "cpu" : "cuda", xla: false, threads: availableParallelism() } as const;
  await writeCase(folder, { ...fixed, ...machine, learningRate: 1e-3, ...options });
  const env = hidden ? { CUDA_VISIBLE_DEVICES: "" } : {};
  const side = await startSide(process.execPath, [here("../bench/duchenne-step.ts"), folder], machine.threads, env);
  try {
    const { losses } = await side.steps(STEPS);
    await side.weights(join(folder, "weights.bin"));
    return { losses, weights: await readFloats(join(folder, "weights.bin")) };
  } finally {
    await side.end();
  }
}

const largest = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
};

process.stdout.write(`${await describeGpus()}\n`);
const usual = await propertiesWith();
const gpus = usual.devices.filter(({ type }) => type === "GPU");
check("TensorFlow finds the GPU", gpus.length > 0, usual.devices.map(({ name }) => name).join(", "));
check("fused kernels, the CPU's, give way", !usual.fused, usual.fused ? "used" : "not used");
const taken = usual.bytesAfterProduct / GIB;
check("memory grows as it is needed", taken < 0.5 * ((gpus[0]?.memoryBytes ?? 0) / GIB), `${taken.toFixed(2)} GiB`);
const { code, worksAfter } = usual.tooLarge;
check("what does not fit fails, and the engine works on", code === "resource_exhausted" && worksAfter, code);
check("steps keep no tensors", usual.tensorsGained === 0, `${usual.tensorsGained} gained`);
check("steps keep no memory of the GPU", usual.bytesGained === 0, `${usual.bytesGained} bytes gained`);
const exact = await propertiesWith("--no-tensor-float-32");
check("products in float32 have its digits", exact.productError < 1e-6, exact.productError.toExponential(1));
// Rounded to 10 bits, each of two factors is off by at most 2^-11 of itself.
const rounded = usual.productError;
check("TensorFloat-32 keeps 10 bits of factors", rounded > 1e-5 && rounded < 2 ** -10, rounded.toExponential(1));

const scratch = await mkdtemp(join(tmpdir(), "duchenne-gpu-"));
try {
  const cpu = await trained(scratch, {}, true);
  process.env.NVIDIA_TF32_OVERRIDE = "0";
  const runs: readonly [string, Partial<CaseOptions>, number][] = [
    ["float32", {}, 1e-4],
    ["float32 by XLA", { xla: true }, 1e-4],
    ["bfloat16", { precision: "bfloat16" }, 2e-2],
    ["bfloat16 by XLA", { precision: "bfloat16", xla: true }, 2e-2],
  ];
  for (const [name, options, tolerance] of runs) {
    const gpu = await trained(scratch, options);
    const apart = largest(cpu.losses, gpu.losses);
    const moved = `largest difference of a loss ${apart.toExponential(1)}, of a weight ${largest(cpu.weights, gpu.weights).toExponential(1)}`;
    check(`${STEPS} steps in ${name} as on the CPU in float32`, apart < tolerance, moved);
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
}
process.stdout.write(failed === 0 ? "all checks passed\n" : `${failed} checks failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
