/** Trainings as generators of events. Needs TensorFlow; recipes are at "./recipes" and do not. */
export { CheckpointMismatchError } from "./checkpoint.ts";
export { NonFiniteLossError, type TrainingEvent } from "./events.ts";
export { type FineTuneOptions, type FineTuneResult, fineTune } from "./fine-tune.ts";
export { type LinearProbeOptions, type LinearProbeResult, linearProbe } from "./linear-probe.ts";
