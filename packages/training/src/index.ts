/** Trainings as generators of events. Needs TensorFlow; recipes are at "./recipes" and do not. */
export { CheckpointMismatchError } from "./checkpoint.ts";
export { NonFiniteLossError, type TrainingEvent } from "./events.ts";
export { type ScoreDetectorOptions, scoreDetector } from "./score-detector.ts";
export type { ScoredFrames } from "./trainings/detector-validation.ts";
export { type DistilOptions, distil } from "./trainings/distil.ts";
export { type FineTuneOptions, type FineTuneResult, fineTune } from "./trainings/fine-tune.ts";
export { type FineTuneExpressionOptions, fineTuneExpression } from "./trainings/fine-tune-expression.ts";
export { type LinearProbeOptions, type LinearProbeResult, linearProbe } from "./trainings/linear-probe.ts";
export { type PretrainOptions, pretrain } from "./trainings/pretrain.ts";
export type { TrainedModel, TrainingOptions } from "./trainings/training.ts";
