import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { BenchCase } from "./bench-case.ts";
import type { Side } from "./bench-side.ts";

/** How far the weights of both sides are apart after the same steps from the same start. */
export interface Agreement {
  readonly steps: number;
  readonly benchCase: BenchCase;
  /** L2 norm of the difference of all weights, relative to how far they moved. */
  readonly relativeToChange: number;
  readonly largestDifference: number;
  /** Of the last step. */
  readonly losses: readonly [ours: number, torch: number];
}

/**
 * Trains both sides and compares their weights. The key part of the qkv biases is left out: its true gradient is 0, and Adam
 * makes full steps of rounding noise there.
 */
export async function checkAgreement(
  folder: string,
  benchCase: BenchCase,
  { ours, torch }: { readonly ours: Side; readonly torch: Side },
  steps: number,
): Promise<Agreement> {
  const [mine, theirs] = [await ours.steps(steps), await torch.steps(steps)];
  const read = (name: string) => readFloats(join(folder, name));
  await ours.weights(join(folder, "ours.bin"));
  await torch.weights(join(folder, "torch.bin"));
  const [start, a, b] = await Promise.all([read("parameters.bin"), read("ours.bin"), read("torch.bin")]);
  let [at, difference, change, largest] = [0, 0, 0, 0];
  for (const { name, shape } of benchCase.parameters) {
    const size = shape.reduce((product, side) => product * side, 1);
    const isKey = (i: number) => name.endsWith("qkv.bias") && i >= size / 3 && i < (2 * size) / 3;
    for (let i = 0; i < size; i++, at++) {
      if (isKey(i)) continue;
      const apart = a[at]! - b[at]!;
      difference += apart ** 2;
      change += (b[at]! - start[at]!) ** 2;
      largest = Math.max(largest, Math.abs(apart));
    }
  }
  const relativeToChange = Math.sqrt(difference / change);
  const losses = [mine.losses.at(-1)!, theirs.losses.at(-1)!] as const;
  return { steps, benchCase, relativeToChange, largestDifference: largest, losses };
}

/** A file of little-endian float32. */
export async function readFloats(file: string): Promise<Float32Array> {
  const { buffer, byteOffset, byteLength } = await readFile(file);
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

/** Whether a long training stays as it began. */
export interface Steadiness {
  readonly steps: number;
  readonly benchCase: BenchCase;
  readonly recordMs: number;
  readonly recordings: number;
  /** Least-squares slope of the resident memory, garbage collected, over the second half. */
  readonly bytesPerStep: number;
  /** Tensors alive at the end, more than after the first tenth. */
  readonly tensorsGained: number;
}

/** Runs our side for many steps and watches its memory. */
export async function checkSteadiness(benchCase: BenchCase, ours: Side, steps: number): Promise<Steadiness> {
  const samples: { step: number; bytes: number; tensors: number }[] = [];
  const every = Math.max(1, Math.floor(steps / 40));
  let recordings = 0;
  for (let step = every; step <= steps; step += every) {
    recordings = (await ours.steps(every)).recordings!;
    const { residentBytes, tensors } = await ours.memory();
    samples.push({ step, bytes: residentBytes, tensors: tensors! });
  }
  const late = samples.slice(Math.floor(samples.length / 2));
  const mean = (of: (sample: (typeof samples)[number]) => number) =>
    late.reduce((sum, sample) => sum + of(sample), 0) / late.length;
  const [step, bytes] = [mean((sample) => sample.step), mean((sample) => sample.bytes)];
  const together = mean((sample) => (sample.step - step) * (sample.bytes - bytes));
  return {
    steps,
    benchCase,
    recordMs: ours.ready.recordMilliseconds!,
    recordings,
    bytesPerStep: together / mean((sample) => (sample.step - step) ** 2),
    tensorsGained: samples.at(-1)!.tensors - samples[Math.floor(samples.length / 10)]!.tensors,
  };
}
