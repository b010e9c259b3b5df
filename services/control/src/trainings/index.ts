/** Checks of trainings, for whatever starts them. They know recipes and data sets and need no TensorFlow. */
export { checkPrecision } from "./check-precision.ts";
export { type CheckedRun, type CheckedRuns, checkFineTuneRuns } from "./check-runs.ts";
export { checkTraining, type TrainingKind } from "./check-training.ts";
export { versionsRead } from "./versions-read.ts";
