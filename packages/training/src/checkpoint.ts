import { type Parameter, type ParameterSet, readSafetensors, writeSafetensors } from "@duchenne/model";
import type { AdamWState } from "@duchenne/tensor";

/** Everything that a training continues from; what is random follows from the recipe's seed and the step. */
export interface Checkpoint {
  /** Steps done. */
  readonly step: number;
  /** Names the training it belongs to: recipe and data. */
  readonly training: string;
  readonly parameters: ParameterSet;
  readonly optimizer: AdamWState;
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

/** Writes a checkpoint as one safetensors file. */
export function writeCheckpoint({ step, training, parameters, optimizer }: Checkpoint): Uint8Array {
  const all = new Map(parameters);
  for (const [prefix, moments] of [
    [FIRST, optimizer.firstMoments],
    [SECOND, optimizer.secondMoments],
  ] as const) {
    for (const [name, data] of moments) all.set(prefix + name, { shape: [data.length], data });
  }
  return writeSafetensors(all, { step: String(step), optimizerStep: String(optimizer.step), training });
}

/** Reads a checkpoint. @throws {CheckpointMismatchError} @throws {InvalidSafetensorsError} */
export function readCheckpoint(bytes: Uint8Array, training: string): Checkpoint {
  const { parameters: all, metadata } = readSafetensors(bytes);
  if (metadata.training !== training) throw new CheckpointMismatchError();
  const parameters = new Map<string, Parameter>();
  const firstMoments = new Map<string, Float32Array>();
  const secondMoments = new Map<string, Float32Array>();
  for (const [name, parameter] of all) {
    if (name.startsWith(FIRST)) firstMoments.set(name.slice(FIRST.length), parameter.data);
    else if (name.startsWith(SECOND)) secondMoments.set(name.slice(SECOND.length), parameter.data);
    else parameters.set(name, parameter);
  }
  return {
    step: Number(metadata.step),
    training,
    parameters,
    optimizer: { step: Number(metadata.optimizerStep), firstMoments, secondMoments },
  };
}
