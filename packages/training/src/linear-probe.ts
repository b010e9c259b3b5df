import { setImmediate as turn } from "node:timers/promises";
import { createBatchOrder, createImageLoader, createRandom, type Dataset } from "@duchenne/data";
import type { ModelConfig, ParameterSet } from "@duchenne/model";
import { createAuDetector, identityLoss } from "@duchenne/model/training";
import { createAdamW, linear, type TensorFlow } from "@duchenne/tensor";
import type { Scalar } from "@tensorflow/tfjs";
import { createPace, type TrainingEvent } from "./events.ts";
import { predict } from "./predict.ts";
import type { LinearProbePlan } from "./recipes/index.ts";
import { learningRateAt } from "./schedule.ts";

/** What a probe works on. */
export interface LinearProbeOptions {
  readonly tf: TensorFlow;
  readonly dataset: Dataset;
  readonly plan: LinearProbePlan;
  /** The model to be probed. */
  readonly config: ModelConfig;
  readonly parameters: ParameterSet;
  readonly signal: AbortSignal;
}

/** How often the probe names the subject of held-out frames. */
export interface LinearProbeResult {
  readonly top1: number;
  readonly top5: number;
  /** 1 / subjects. */
  readonly chance: number;
  readonly subjects: number;
  readonly trainFrames: number;
  readonly testFrames: number;
}

/**
 * Trains one linear layer without bias to name the subject from frozen, pooled features: binary cross-entropy over
 * one-hot subjects, AdamW, a cosine schedule with a tenth of warm-up (1.14 of the behavioural specification, without
 * augmentation). Short enough to start anew after an interruption.
 *
 * @throws the signal's reason when aborted
 */
export async function* linearProbe(
  options: LinearProbeOptions,
): AsyncGenerator<TrainingEvent, LinearProbeResult, undefined> {
  const { tf, dataset, plan, config, signal } = options;
  const { recipe, split, stepsPerEpoch, totalSteps } = plan;
  const subjects = dataset.subjects.length;
  const features = await extractFeatures(options);
  const random = createRandom([recipe.seed, "linear-probe"]);
  const start = Float32Array.from({ length: subjects * config.dim }, () => 2e-5 * random.normal());
  const weight = tf.tidy(() => tf.variable(tf.tensor2d(start, [subjects, config.dim])));
  const optimizer = createAdamW(tf, new Map([["weight", weight]]), [
    { names: ["weight"], learningRateScale: 1, weightDecay: 0 },
  ]);
  const order = createBatchOrder({
    count: split.train.length,
    batchSize: recipe.batchSize,
    seed: recipe.seed,
    shuffle: true,
    dropLast: true,
  });
  const gather = (indices: Uint32Array) => {
    const rows = new Float32Array(indices.length * config.dim);
    for (const [i, index] of indices.entries()) {
      rows.set(features.subarray(index * config.dim, (index + 1) * config.dim), i * config.dim);
    }
    return {
      rows: tf.tensor2d(rows, [indices.length, config.dim]),
      subjects: tf.tensor1d(
        Int32Array.from(indices, (index) => dataset.samples[index]!.subjectIndex),
        "int32",
      ),
    };
  };
  const schedule = {
    peakLearningRate: (recipe.baseLearningRate * recipe.batchSize) / 256,
    minLearningRate: 0,
    warmupEpochs: recipe.epochs / 10,
    epochs: recipe.epochs,
  };
  try {
    const pace = createPace(totalSteps, 0);
    for (let step = 0; step < totalSteps; ) {
      signal.throwIfAborted();
      const positions = order.batch(Math.floor(step / stepsPerEpoch), step % stepsPerEpoch);
      const learningRate = learningRateAt(step / stepsPerEpoch, schedule);
      const loss = tf.tidy(() => {
        const batch = gather(positions.map((position) => split.train[position]!));
        const { value, grads } = tf.variableGrads(
          () => identityLoss(tf, linear(tf, batch.rows, weight), batch.subjects, "bce") as Scalar,
          [weight],
        );
        optimizer.step({ weight: grads[weight.name]! }, learningRate);
        return value.dataSync()[0]!;
      });
      step++;
      if (pace.isDue(step)) {
        await turn();
        const epoch = step / stepsPerEpoch;
        const speed = pace.measure(step, recipe.batchSize);
        yield { kind: "progress", phase: "probing", step, totalSteps, epoch, ...speed };
        yield {
          kind: "metrics",
          step,
          epoch,
          values: { "train/identityLoss": loss, "train/learningRate": learningRate },
        };
      }
    }
    const [top1, top5] = tf.tidy(() => {
      const test = gather(split.test);
      const logits = linear(tf, test.rows, weight);
      const ranked = tf.topk(logits, Math.min(5, subjects)).indices.arraySync() as number[][];
      const truth = test.subjects.dataSync();
      const share = (depth: number) =>
        ranked.filter((row, i) => row.slice(0, depth).includes(truth[i]!)).length / ranked.length;
      return [share(1), share(5)];
    });
    return {
      top1: top1!,
      top5: top5!,
      chance: 1 / subjects,
      subjects,
      trainFrames: split.train.length,
      testFrames: split.test.length,
    };
  } finally {
    optimizer.dispose();
    weight.dispose();
  }
}

async function extractFeatures({ tf, dataset, config, parameters, signal }: LinearProbeOptions): Promise<Float32Array> {
  const detector = createAuDetector(tf, config, parameters);
  try {
    const loader = createImageLoader(dataset, { imageSize: config.imageSize });
    const all = Uint32Array.from(dataset.samples.keys());
    return (await predict(tf, { detector, config }, loader, all, signal)).features;
  } finally {
    detector.dispose();
  }
}
