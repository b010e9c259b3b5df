import { type Parameter, type ParameterSet, readSafetensors, writeSafetensors } from "@duchenne/model";
import { type Progress, progressSchema } from "./progress.ts";
import type { StepperState } from "./stepper.ts";

/** Everything that a training continues from; what is random follows from the recipe's seed and the step. */
export interface Checkpoint {
  /** Names the training it belongs to: recipe and data. */
  readonly training: string;
  readonly progress: Progress;
  readonly parameters: ParameterSet;
  readonly stepper: StepperState;
  /** The weights of the best epoch. */
  readonly best?: ParameterSet | undefined;
}

/** Thrown when a checkpoint belongs to another training. */
export class CheckpointMismatchError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "CHECKPOINT_MISMATCH";

  constructor() {
    super("The checkpoint was made by another recipe or from other data");
    this.name = "CheckpointMismatchError";
  }
}

const FIRST = "optimizer.first.";
const SECOND = "optimizer.second.";
const EMA = "ema.";
const BEST = "best.";

/** Writes a checkpoint as one safetensors file. */
export function writeCheckpoint({ training, progress, parameters, stepper, best }: Checkpoint): Uint8Array {
  const { step, firstMoments, secondMoments } = stepper.optimizer;
  const vectors = (moments: ReadonlyMap<string, Float32Array>): ParameterSet =>
    new Map([...moments].map(([name, data]) => [name, { shape: [data.length], data }]));
  const all = new Map(parameters);
  for (const [prefix, set] of [
    [FIRST, vectors(firstMoments)],
    [SECOND, vectors(secondMoments)],
    [EMA, stepper.ema],
    [BEST, best],
  ] as const) {
    for (const [name, parameter] of set ?? []) all.set(prefix + name, parameter);
  }
  return writeSafetensors(all, { progress: JSON.stringify(progress), optimizerStep: String(step), training });
}

/** Reads a checkpoint. @throws {CheckpointMismatchError} @throws {InvalidSafetensorsError} */
export function readCheckpoint(bytes: Uint8Array, training: string): Checkpoint {
  const { parameters: all, metadata } = readSafetensors(bytes);
  if (metadata.training !== training) throw new CheckpointMismatchError();
  const named = (prefix: string): Map<string, Parameter> =>
    new Map([...all].flatMap(([name, each]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), each]] : [])));
  const moments = (prefix: string) => new Map([...named(prefix)].map(([name, { data }]) => [name, data]));
  const [ema, best] = [named(EMA), named(BEST)];
  return {
    training,
    progress: progressSchema.parse(JSON.parse(metadata.progress!)),
    parameters: new Map(
      [...all].filter(([name]) => ![FIRST, SECOND, EMA, BEST].some((prefix) => name.startsWith(prefix))),
    ),
    stepper: {
      optimizer: {
        step: Number(metadata.optimizerStep),
        firstMoments: moments(FIRST),
        secondMoments: moments(SECOND),
      },
      ema: ema.size === 0 ? undefined : ema,
    },
    best: best.size === 0 ? undefined : best,
  };
}
