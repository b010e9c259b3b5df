import { setImmediate as turn } from "node:timers/promises";
import {
  createBatchOrder,
  createImageLoader,
  createRandom,
  type Dataset,
  type ImageLoader,
  mirrorInBatch,
} from "@duchenne/data";
import { evaluate } from "@duchenne/evaluation";
import { initialiseParameters, type ModelConfig, type ParameterSet } from "@duchenne/model";
import { createAuDetector, parameterGroups } from "@duchenne/model/training";
import { createAdamW, type TensorFlow } from "@duchenne/tensor";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { createPace, NonFiniteLossError, type TrainingEvent } from "./events.ts";
import { predict } from "./predict.ts";
import type { FineTunePlan, FineTuneRecipe } from "./recipes/index.ts";
import { learningRateAt } from "./schedule.ts";
import { type Batch, type StepMetrics, trainStep } from "./train-step.ts";

/** What a fine-tune works on. */
export interface FineTuneOptions {
  readonly tf: TensorFlow;
  readonly dataset: Dataset;
  readonly plan: FineTunePlan;
  /** Aborting ends the training after a last checkpoint. */
  readonly signal: AbortSignal;
  /** Goes on from here: the rest is the same, bit for bit, as if it had never stopped. */
  readonly checkpoint?: Uint8Array | undefined;
}

/** What a fine-tune made. */
export interface FineTuneResult {
  readonly config: ModelConfig;
  readonly parameters: ParameterSet;
  /** Of the held-out subjects after the last step, by name. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** Every so many reports also measure the gradients of both losses: they cost a backward pass. */
const GRADIENT_REPORTS = 5;
/** Figures of the held-out part after each epoch draw a curve; they need no intervals. */
const VALIDATION_RESAMPLES = 0;

/**
 * Trains an action unit detector, with an identity head behind gradient reversal when lambda is not 0. Yields progress,
 * metrics and checkpoints; returns the weights. Everything random is a function of the seed and the step.
 *
 * @throws {NonFiniteLossError}
 * @throws {CheckpointMismatchError} when the checkpoint belongs to another training
 * @throws the signal's reason when aborted, after a last checkpoint event
 */
export async function* fineTune(options: FineTuneOptions): AsyncGenerator<TrainingEvent, FineTuneResult, undefined> {
  const { tf, dataset, plan, signal } = options;
  const { recipe, config, split, stepsPerEpoch, totalSteps } = plan;
  const training = JSON.stringify({ recipe, dataset: dataset.digest });
  const loader = createImageLoader(dataset, { imageSize: config.imageSize });
  const order = createBatchOrder({
    count: split.train.length,
    batchSize: recipe.batchSize,
    seed: recipe.seed,
    shuffle: true,
    dropLast: true,
  });

  const detector = createAuDetector(tf, config, initialiseParameters(config, recipe.seed));
  const optimizer = createAdamW(tf, detector.variables, parameterGroups(config, recipe));
  try {
    let step = 0;
    if (options.checkpoint !== undefined) {
      const checkpoint = readCheckpoint(options.checkpoint, training);
      detector.load(checkpoint.parameters);
      optimizer.restore(checkpoint.optimizer);
      step = checkpoint.step;
      yield { kind: "log", level: "info", text: `Continues after step ${step} of ${totalSteps}` };
    }
    const save = (): TrainingEvent => {
      const state = { step, training, parameters: detector.parameters(), optimizer: optimizer.state() };
      return { kind: "checkpoint", step, bytes: writeCheckpoint(state) };
    };
    /** Undefined when it was told to stop meanwhile. */
    const validate = async (): Promise<Readonly<Record<string, number>> | undefined> => {
      try {
        return validationMetrics(dataset, plan, await predict(tf, { detector, config }, loader, split.test, signal));
      } catch (error) {
        if (signal.aborted) return undefined;
        throw error;
      }
    };

    /** The micro-batches of a step; those left over at an epoch's end are dropped. */
    const loadStep = async (at: number): Promise<Batch[]> => {
      const epoch = Math.floor(at / stepsPerEpoch);
      const first = (at % stepsPerEpoch) * recipe.accumulationSteps;
      const batches: Batch[] = [];
      for (let index = first; index < first + recipe.accumulationSteps; index++) {
        const indices = order.batch(epoch, index).map((position) => split.train[position]!);
        const flipSeed = recipe.horizontalFlip ? [recipe.seed, "flip", epoch, index] : undefined;
        batches.push(await loadBatch(dataset, loader, indices, { ...recipe, imageSize: config.imageSize, flipSeed }));
      }
      return batches;
    };

    const pace = createPace(totalSteps, step);
    let reports = 0;
    let metrics: Readonly<Record<string, number>> | undefined;
    while (step < totalSteps) {
      if (signal.aborted) break;
      const microBatches = await loadStep(step);
      const learningRate = learningRateAt(step / stepsPerEpoch, { ...recipe, ...plan });
      const seed = createRandom([recipe.seed, "drop-path", step]).integer(2 ** 31);
      step++;
      const isReported = pace.isDue(step);
      const measured = trainStep(tf, { detector, optimizer, config }, microBatches, {
        ...recipe,
        learningRate,
        seed,
        measureGradients: isReported && reports++ % GRADIENT_REPORTS === 0,
      });
      const loss = measured.auLoss + (measured.identityLoss ?? 0);
      if (!Number.isFinite(loss)) throw new NonFiniteLossError(step, loss);
      // TensorFlow has just blocked the thread: let messages in and out.
      await turn();

      const epochsDone = step / stepsPerEpoch;
      if (step % stepsPerEpoch === 0) {
        metrics = await validate();
        if (metrics === undefined) break;
        yield { kind: "metrics", step, epoch: epochsDone, values: metrics };
      }
      if (isReported) {
        const speed = pace.measure(step, recipe.batchSize * recipe.accumulationSteps);
        yield { kind: "progress", phase: "training", step, totalSteps, epoch: epochsDone, ...speed };
        yield { kind: "metrics", step, epoch: epochsDone, values: trainMetrics(measured, learningRate) };
      }
      if (step % recipe.checkpointEverySteps === 0 && step < totalSteps) yield save();
    }
    if (!signal.aborted) metrics ??= await validate();
    if (metrics === undefined || step < totalSteps) {
      yield save();
      throw signal.reason;
    }
    return { config, parameters: detector.parameters(), metrics };
  } finally {
    detector.dispose();
    optimizer.dispose();
  }
}

async function loadBatch(
  dataset: Dataset,
  loader: ImageLoader,
  indices: Uint32Array,
  {
    imageSize,
    flipSeed,
    unknownLabels,
  }: Pick<FineTuneRecipe, "unknownLabels"> & {
    readonly imageSize: number;
    readonly flipSeed: readonly (number | string)[] | undefined;
  },
): Promise<Batch> {
  const images = await loader.load(indices);
  if (flipSeed !== undefined) {
    const random = createRandom(flipSeed);
    for (let i = 0; i < indices.length; i++) if (random.uniform() < 0.5) mirrorInBatch(images, i, imageSize);
  }
  const units = dataset.actionUnits.length;
  const occurrence = new Int8Array(indices.length * units);
  for (const [i, index] of indices.entries()) occurrence.set(dataset.samples[index]!.occurrence, i * units);
  if (unknownLabels === "negative") for (const [i, label] of occurrence.entries()) if (label === -1) occurrence[i] = 0;
  return { images, occurrence, subjects: Int32Array.from(indices, (index) => dataset.samples[index]!.subjectIndex) };
}

function trainMetrics(measured: StepMetrics, learningRate: number): Record<string, number> {
  const entries = Object.entries(measured).map(([name, value]): [string, number] => [`train/${name}`, value]);
  return { ...Object.fromEntries(entries), "train/learningRate": learningRate };
}

function validationMetrics(
  dataset: Dataset,
  { split, config }: FineTunePlan,
  { probabilities }: { readonly probabilities: Float32Array },
): Record<string, number> {
  const units = config.actionUnits.length;
  const occurrence = new Int8Array(split.test.length * units);
  for (const [i, index] of split.test.entries()) occurrence.set(dataset.samples[index]!.occurrence, i * units);
  const report = evaluate({
    actionUnits: config.actionUnits,
    probabilities,
    occurrence,
    subjects: Array.from(split.test, (index) => dataset.samples[index]!.subject),
    thresholds: config.actionUnits.map(() => 0.5),
    seed: 0,
    resamples: VALIDATION_RESAMPLES,
  });
  const { meanF1, macroAuc, meanTrivialF1 } = report;
  return {
    "validation/meanF1": meanF1.value ?? 0,
    "validation/trivialF1": meanTrivialF1,
    ...(macroAuc.value === undefined ? {} : { "validation/macroAuc": macroAuc.value }),
  };
}
