import { amongTop, meanCrossEntropy, topAccuracy } from "@duchenne/evaluation";
import type { ParameterSet, VitConfig } from "@duchenne/model";
import { createVit, type Vit } from "@duchenne/model/training";
import type { TensorFlow } from "@duchenne/tensor";
import type { Tensor4D } from "@tensorflow/tfjs";
import type { TrainingEvent } from "../events.ts";
import { createTrainingImages, type TrainingImages } from "../images.ts";
import { subjectsOf } from "../labels.ts";
import { imageTensor } from "../objectives/au-objective.ts";
import { createIdentityObjective, type FeatureSource } from "../objectives/identity-objective.ts";
import { createPredictor } from "../predict.ts";
import type { LinearProbePlan } from "../recipes/index.ts";
import { createStepLoader } from "../step-loader.ts";
import { train } from "../train.ts";
import { identityOf, type TrainingOptions } from "./training.ts";

/** What a probe works on. */
export interface LinearProbeOptions extends TrainingOptions<LinearProbePlan> {
  /** The model to be probed. */
  readonly model: { readonly config: VitConfig; readonly parameters: ParameterSet };
}

/** How often the probe names the subject of held-out frames. */
export interface LinearProbeResult {
  readonly top1: number;
  readonly top5: number;
  /** Softmax cross-entropy on the held-out frames, as published, although trained with binary cross-entropy. */
  readonly crossEntropy: number;
  /** 1 / subjects: what guessing reaches. */
  readonly chance: number;
  /** Subjects with held-out frames; those of a published vocabulary without any are outputs that are never right. */
  readonly subjects: number;
  readonly trainFrames: number;
  readonly testFrames: number;
  /** Whether each held-out frame's subject was named, 1 or 0, in the order of the plan's test part. */
  readonly isRight: Uint8Array;
}

/**
 * Trains a probe to name the subject from pooled features that stay as they are (1.14 of the behavioural specification);
 * it is measured on held-out frames of the same subjects before the first step and after each epoch. Errors are those of
 * `fineTune`.
 */
export async function* linearProbe(
  options: LinearProbeOptions,
): AsyncGenerator<TrainingEvent, LinearProbeResult, undefined> {
  const { tf, dataset, plan, model, signal, checkpoint, mode } = options;
  const { recipe, split } = plan;
  const { seed } = recipe.optimization;
  const { imageSize, dim } = model.config;
  const vit = createVit(tf, model.config, model.parameters);
  const images = createTrainingImages(dataset, { ...recipe, imageSize, seed });
  const shape = { dim, subjects: dataset.subjects.length, layers: recipe.layers };
  const predictor = createPredictor(tf, vit, images.plain);
  const features = async (samples: Uint32Array) => (await predictor.predict(samples, signal)).features;
  let objective: ReturnType<typeof createIdentityObjective> | undefined;
  try {
    const held = { features: await features(split.test), labels: subjectsOf(dataset, split.test) };
    const source =
      recipe.backbone === "frozen"
        ? frozenSource(tf, dim, rowsOf(split.train, await features(split.train), dim))
        : trainModeSource(tf, vit, images);
    objective = createIdentityObjective(tf, source, shape, { seed, weightDecay: recipe.optimization.weightDecay });
    const { logits } = objective;
    const answer = () => ({
      logits: tf.tidy(() => Float32Array.from(logits(matrix(tf, held.features, dim)).dataSync())),
      labels: held.labels,
    });
    const measure = (answers = answer()) => ({
      top1: topAccuracy(answers, 1),
      top5: topAccuracy(answers, 5),
      crossEntropy: meanCrossEntropy(answers),
    });
    yield* train({
      tf,
      objective,
      plan,
      training: identityOf("linear_probe", options),
      phase: "probing",
      load: createStepLoader({ samples: split.train, plan }, async (samples, epoch) => ({
        values: await source.read(samples, epoch),
        subjects: subjectsOf(dataset, samples),
      })),
      async validate() {
        const figures = Object.entries(measure()).map(([name, value]) => [`test/${name}`, value]);
        return { metrics: Object.fromEntries(figures), figure: undefined };
      },
      validateFirst: true,
      signal,
      checkpoint,
      mode,
    });
    const subjects = new Set(held.labels).size;
    const answers = answer();
    return {
      ...measure(answers),
      isRight: amongTop(answers, 1),
      chance: 1 / subjects,
      subjects,
      trainFrames: split.train.length,
      testFrames: split.test.length,
    };
  } finally {
    objective?.dispose();
    predictor.dispose();
    vit.dispose();
    await images.close();
  }
}

/** Where a probe's training features come from. */
interface ProbeSource extends FeatureSource {
  /** What features are made from: themselves, or images. */
  read(samples: Uint32Array, epoch: number): Promise<Float32Array>;
}

/** Features that were computed once. @param rows by sample */
function frozenSource(tf: TensorFlow, dim: number, rows: ReadonlyMap<number, Float32Array>): ProbeSource {
  return {
    async read(samples) {
      const values = new Float32Array(samples.length * dim);
      for (const [i, sample] of samples.entries()) values.set(rows.get(sample)!, i * dim);
      return values;
    },
    inputs: (values) => ({ features: matrix(tf, values, dim) }),
    features: ({ features }) => features!,
  };
}

/** Features of augmented images with stochastic depth, as published. */
function trainModeSource(tf: TensorFlow, vit: Vit, images: TrainingImages): ProbeSource {
  return {
    read: (samples, epoch) => images.augmented(samples, epoch),
    inputs: (values) => ({ images: imageTensor(tf, values, vit.config) }),
    features: ({ images: batch }, seed) => vit.features(batch as Tensor4D, { training: true, seed }),
  };
}

function rowsOf(samples: Uint32Array, features: Float32Array, dim: number): ReadonlyMap<number, Float32Array> {
  return new Map(Array.from(samples, (sample, i) => [sample, features.subarray(i * dim, (i + 1) * dim)]));
}

function matrix(tf: TensorFlow, values: Float32Array, width: number) {
  return tf.tensor2d(values, [values.length / width, width]);
}
