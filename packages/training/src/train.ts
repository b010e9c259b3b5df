import { setImmediate as turn } from "node:timers/promises";
import { createRandom } from "@duchenne/data";
import type { ParameterSet } from "@duchenne/model";
import type { TensorFlow } from "@duchenne/tensor";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { NonFiniteLossError, type TrainingEvent } from "./events.ts";
import { createLookahead } from "./lookahead.ts";
import type { Objective } from "./objectives/objective.ts";
import { createPace } from "./pace.ts";
import {
  afterEpoch,
  afterStep,
  epochMeans,
  isOutOfPatience,
  NO_PROGRESS,
  type Progress,
  type Validation,
} from "./progress.ts";
import type { Optimization, StepPlan } from "./recipes/optimization.ts";
import { learningRateAt } from "./schedule.ts";
import { createStepper } from "./stepper.ts";

/** What a training consists of. */
export interface TrainOptions<B> {
  readonly tf: TensorFlow;
  readonly objective: Objective<B>;
  readonly plan: StepPlan & { readonly recipe: { readonly optimization: Optimization } };
  /** Names the training, recipe and data: a checkpoint of another one is refused. */
  readonly training: string;
  /** What the steps are called in progress events. */
  readonly phase: string;
  /** The micro-batches of a step, counted from 0; asked for ahead of time. */
  load(step: number): Promise<readonly B[]>;
  /** Measures the present weights on the held-out part; absent: there is none. */
  readonly validate?: (signal: AbortSignal) => Promise<Validation>;
  /** Also validates before the first step. */
  readonly validateFirst?: boolean;
  /** "recorded" (default): steps are TensorFlow functions; "eager": operation by operation, to debug and to compare. */
  readonly mode?: "recorded" | "eager" | undefined;
  /** Aborting ends the training after a last checkpoint. */
  readonly signal: AbortSignal;
  /** Goes on from here: the rest is the same, bit for bit, as if it had never stopped. */
  readonly checkpoint?: Uint8Array | undefined;
}

/** What a training made. */
export interface Trained {
  /** Those of the best epoch or those after the last step, as the recipe says; averaged when it says so. */
  readonly parameters: ParameterSet;
  /** What validation said of them, by name; empty without validation. */
  readonly metrics: Readonly<Record<string, number>>;
  /** The epoch that they are of. */
  readonly epoch: number;
}

/**
 * Trains: warm-up and cosine per step, validation after each epoch, early stop, checkpoints. Everything random is a
 * function of the recipe's seed and the step, so a checkpoint holds all there is. The objective is left with the weights
 * that are returned.
 *
 * @throws {NonFiniteLossError}
 * @throws {CheckpointMismatchError} when the checkpoint belongs to another training
 * @throws the signal's reason when aborted, after a last checkpoint event
 */
export async function* train<B>(options: TrainOptions<B>): AsyncGenerator<TrainingEvent, Trained, undefined> {
  const { tf, objective, plan, training, phase, signal } = options;
  const { stepsPerEpoch, totalSteps } = plan;
  const { optimization } = plan.recipe;
  const stepper = createStepper(tf, objective, { ...optimization, mode: options.mode });
  try {
    let progress: Progress = NO_PROGRESS;
    let best: ParameterSet | undefined;
    let lastCheckpointStep: number | undefined;
    if (options.checkpoint !== undefined) {
      const stored = readCheckpoint(options.checkpoint, training);
      objective.load(stored.parameters);
      stepper.restore(stored.stepper);
      ({ progress, best } = stored);
      lastCheckpointStep = progress.step;
      yield { kind: "log", level: "info", text: `Continues after step ${progress.step} of ${totalSteps}` };
    }
    if (optimization.precision !== "float32") {
      const text = `Computes matrix products in ${optimization.precision}; weights, statistics and losses are float32`;
      yield { kind: "log", level: "info", text };
    }
    const save = (): TrainingEvent => {
      const parameters = objective.parameters();
      const bytes = writeCheckpoint({ training, progress, parameters, stepper: stepper.state(), best });
      lastCheckpointStep = progress.step;
      return { kind: "checkpoint", step: progress.step, bytes };
    };
    /** Sees to the end of an epoch; false when it was told to stop meanwhile. */
    const closeEpoch = (epoch: number): Promise<boolean> =>
      stepper.withAverage(async () => {
        const isMeasured = epoch > 0 || options.validateFirst === true;
        const validation = isMeasured ? await validated(options) : undefined;
        if (validation === "stopped") return false;
        progress = afterEpoch(progress, epoch, validation);
        if (optimization.keep === "best" && progress.best?.epoch === epoch) best = objective.parameters();
        return true;
      });

    const pace = createPace(totalSteps, progress.step, optimization.batchSize * optimization.accumulationSteps);
    const upcoming = createLookahead(options.load, progress.step, totalSteps);
    for (;;) {
      const { step } = progress;
      const means = epochMeans(progress);
      const epoch = step / stepsPerEpoch;
      if (Number.isInteger(epoch) && epoch > progress.epochsClosed) {
        if (!(await closeEpoch(epoch))) {
          yield save();
          throw signal.reason;
        }
        const isMeasured = progress.last?.epoch === epoch;
        const values = { ...means, ...(isMeasured && progress.last?.metrics) };
        if (Object.keys(values).length > 0) yield { kind: "metrics", step, epoch, values };
        if (step === totalSteps || (step > 0 && optimization.checkpointEverySteps === 0)) yield save();
      }
      if (step === totalSteps) break;
      if (isOutOfPatience(progress, optimization)) {
        if (lastCheckpointStep !== step) yield save();
        const text = `Stops after epoch ${epoch}: epoch ${progress.best?.epoch} remains the best`;
        yield { kind: "log", level: "info", text };
        break;
      }
      if (signal.aborted) {
        if (lastCheckpointStep !== step) yield save();
        throw signal.reason;
      }

      const microBatches = await pace.waitFor(upcoming.next());
      const learningRate = learningRateAt(epoch, { ...optimization, ...plan });
      const measured = stepper.step(microBatches, {
        learningRate,
        seed: createRandom([optimization.seed, "drop-path", step]).integer(2 ** 24),
        measureGradients: measuresGradients(optimization, step + 1),
      });
      const broken = Object.entries(measured).find(([, value]) => !Number.isFinite(value));
      if (broken !== undefined) throw new NonFiniteLossError(step + 1, ...broken, lastCheckpointStep);
      progress = afterStep(progress, measured);
      // TensorFlow has just blocked the thread: let messages in and out.
      await turn();

      const at = { step: progress.step, epoch: progress.step / stepsPerEpoch };
      const speed = pace.report(at.step);
      if (speed !== undefined) yield { kind: "progress", phase, ...at, totalSteps, ...speed };
      if (isEvery(optimization.metricsEverySteps, at.step)) {
        const values = Object.entries({ ...measured, learningRate }).map(([name, value]) => [`train/${name}`, value]);
        yield { kind: "metrics", ...at, values: Object.fromEntries(values) };
      }
      if (isEvery(optimization.checkpointEverySteps, at.step) && at.step < totalSteps) yield save();
    }

    objective.load(best ?? (await stepper.withAverage(async () => objective.parameters())));
    const kept = best === undefined ? progress.last : progress.best;
    return {
      parameters: objective.parameters(),
      metrics: kept?.metrics ?? {},
      epoch: kept?.epoch ?? progress.step / stepsPerEpoch,
    };
  } finally {
    stepper.dispose();
  }
}

async function validated<B>({ validate, signal }: TrainOptions<B>): Promise<Validation | undefined | "stopped"> {
  try {
    return await validate?.(signal);
  } catch (error) {
    if (signal.aborted && error === signal.reason) return "stopped";
    throw error;
  }
}

/** In the first step, and in each whose metrics event can tell them. */
function measuresGradients({ gradientNormsEverySteps: every }: Optimization, step: number): boolean {
  return isEvery(every, step) || (every > 0 && step === 1);
}

/** @param every 0: never */
function isEvery(every: number, step: number): boolean {
  return every > 0 && step % every === 0;
}
