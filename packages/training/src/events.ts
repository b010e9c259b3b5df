/** What a training tells while it runs. */
export type TrainingEvent =
  | {
      readonly kind: "progress";
      /** What is being done. */
      readonly phase: string;
      /** Steps done. */
      readonly step: number;
      readonly totalSteps: number;
      /** Epochs done, as a real number. */
      readonly epoch: number;
      readonly imagesPerSecond: number;
      readonly etaMs: number;
      /** Share of the time since the last progress in which a step waited for its images, in 0..1. */
      readonly inputWaitShare: number;
    }
  | {
      readonly kind: "metrics";
      readonly step: number;
      readonly epoch: number;
      /** By name, such as "train/auLoss" or "validation/meanF1". */
      readonly values: Readonly<Record<string, number>>;
    }
  | { readonly kind: "checkpoint"; readonly step: number; readonly bytes: Uint8Array }
  | { readonly kind: "log"; readonly level: "info" | "warn" | "error"; readonly text: string };

/** Thrown when a loss or a gradient is no number any more: the weights are lost, an earlier checkpoint is not. */
export class NonFiniteLossError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "NON_FINITE_LOSS";
  /** The step that broke, counted from 1. */
  readonly step: number;
  /** Steps done at the last checkpoint, from before it broke; undefined: there is none. */
  readonly lastCheckpointStep: number | undefined;

  /** @param name of what was measured, such as "auLoss" */
  constructor(step: number, name: string, value: number, lastCheckpointStep: number | undefined) {
    const good =
      lastCheckpointStep === undefined
        ? "There is no checkpoint from before it."
        : `The last good checkpoint is that of step ${lastCheckpointStep}.`;
    super(`${name} became ${value} in step ${step}. ${good} Try a lower base learning rate or lambda.`);
    this.name = "NonFiniteLossError";
    this.step = step;
    this.lastCheckpointStep = lastCheckpointStep;
  }
}
