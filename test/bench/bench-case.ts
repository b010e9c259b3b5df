import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  createMaeConfig,
  createModelConfig,
  initialiseMaeParameters,
  initialiseParameters,
  type MaeConfig,
  type ModelConfig,
  type ParameterSet,
  patchCount,
} from "@duchenne/model";
import { maeParameterGroups, maskFromNoise, parameterGroups } from "@duchenne/model/training";
import type { ParameterGroup, Precision } from "@duchenne/tensor";

/** What is timed. */
export interface CaseOptions {
  readonly variant: "micro" | "tiny" | "small" | "base" | "large";
  readonly task: "fine-tune" | "mae";
  readonly batch: number;
  readonly precision: Precision;
  /** "cuda": PyTorch's step is compiled by torch.compile there. */
  readonly device: "cpu" | "cuda";
  /** Whether XLA compiles our step. */
  readonly xla: boolean;
  readonly threads: number;
  /** Stochastic depth of the last block; 0 makes both sides compute the same. */
  readonly dropPath: number;
  readonly learningRate: number;
}

/** A case as both sides read it from case.json. */
export interface BenchCase extends Omit<CaseOptions, "dropPath"> {
  readonly config: ModelConfig | MaeConfig;
  readonly groups: readonly ParameterGroup[];
  readonly betas: readonly [number, number];
  readonly lambda: number;
  readonly seed: number;
  /** The trained and the fixed ones, in the order of parameters.bin. */
  readonly parameters: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

/** BP4D's. */
const ACTION_UNITS = [1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24];
const SUBJECTS = 41;
const SEED = 1;

/** Numbers of about unit size without a pattern, the same in every run. */
export function noise(length: number, phase: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => {
    const wave = Math.sin((i + 1) * 12.9898 + phase) * 43758.5453;
    return 2 * (wave - Math.floor(wave)) - 1;
  });
}

/** Writes a case, its initial parameters and one batch, for both sides to read. */
export async function writeCase(folder: string, options: CaseOptions): Promise<BenchCase> {
  const { variant, task, batch, dropPath, ...rest } = options;
  await mkdir(folder, { recursive: true });
  const save = (name: string, values: Float32Array | Int32Array) => writeFile(join(folder, name), values);
  const common = { ...rest, variant, task, batch, lambda: 1, seed: SEED };
  let parameters: ParameterSet;
  let described: Pick<BenchCase, "config" | "groups" | "betas">;
  if (task === "fine-tune") {
    const config = createModelConfig(variant, { actionUnits: ACTION_UNITS, numSubjects: SUBJECTS, dropPath });
    parameters = initialiseParameters(config, SEED);
    const groups = parameterGroups(config, { layerDecay: 0.65, weightDecay: 0.05 });
    described = { config, groups, betas: [0.9, 0.999] };
    const targets = noise(batch * ACTION_UNITS.length, 3).map((each) => (each > 0.4 ? 1 : 0));
    await save("targets.bin", targets);
    await save(
      "subjects.bin",
      Int32Array.from({ length: batch }, (_, i) => (7 * i) % SUBJECTS),
    );
  } else {
    const config = createMaeConfig(variant);
    parameters = initialiseMaeParameters(config, SEED);
    described = { config, groups: maeParameterGroups(config, 0.05), betas: [0.9, 0.95] };
    const patches = patchCount(config);
    const mask = maskFromNoise(noise(batch * patches, 5), patches, 0.75);
    await save("kept.bin", mask.kept);
    await save("restore.bin", mask.restore);
    await save("masked.bin", mask.masked);
  }
  await save("images.bin", noise(batch * 3 * described.config.imageSize ** 2, 2));
  await writeFile(
    join(folder, "parameters.bin"),
    Buffer.concat([...parameters.values()].map(({ data }) => bytesOf(data))),
  );
  const list = [...parameters].map(([name, { shape }]) => ({ name, shape }));
  const written: BenchCase = { ...common, ...described, parameters: list };
  // The PyTorch side wants numbers of outputs, not their names.
  const config = { ...written.config, ...("actionUnits" in written.config && { actionUnits: ACTION_UNITS.length }) };
  await writeFile(join(folder, "case.json"), JSON.stringify({ ...written, config }));
  await writeFile(join(folder, "config.json"), JSON.stringify(written.config));
  return written;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
