import { createRandom } from "@duchenne/data";
import {
  type AuDetector,
  answerDistillationLoss,
  assignParameters,
  auLoss,
  parameterGroups,
  parametersFromVariables,
  type Vit,
  variablesFromParameters,
} from "@duchenne/model/training";
import { linear, type TensorFlow } from "@duchenne/tensor";
import type { Tensor4D } from "@tensorflow/tfjs";
import { type AuBatch, labelledInputs } from "./au-objective.ts";
import type { Objective } from "./objective.ts";

/** What a student learns from, and how much each counts. */
export interface DistillationOptions {
  readonly temperature: number;
  readonly logitsWeight: number;
  readonly featuresWeight: number;
  readonly labelsWeight: number;
  readonly layerDecay: number;
  readonly weightDecay: number;
  /** Fixes the projection's first weights. */
  readonly seed: number;
}

/** An objective with variables of its own. */
export interface DistillationObjective extends Objective<AuBatch> {
  dispose(): void;
}

const PROJECTION = "distillation.projection";

/**
 * Answers and features of a teacher, and labels where they are known. Features are compared after a linear projection of
 * the student's to the teacher's width (Romero et al. 2015, FitNets), by their mean squared error; both are normalised
 * by fc_norm. The projection is trained along and thrown away.
 */
export function createDistillationObjective(
  tf: TensorFlow,
  { student, teacher }: { readonly student: AuDetector; readonly teacher: Vit },
  options: DistillationOptions,
): DistillationObjective {
  const { config } = student;
  const [inputs, outputs] = [config.dim, teacher.config.dim];
  const random = createRandom([options.seed, "distillation-projection"]);
  const start = Float32Array.from({ length: outputs * inputs }, () => (2 * random.uniform() - 1) / Math.sqrt(inputs));
  const projection = variablesFromParameters(
    tf,
    new Map([
      [`${PROJECTION}.weight`, { shape: [outputs, inputs], data: start }],
      [`${PROJECTION}.bias`, { shape: [outputs], data: new Float32Array(outputs) }],
    ]),
  );
  return {
    variables: new Map([...student.variables, ...projection]),
    groups: [
      ...parameterGroups(config, options),
      { names: [`${PROJECTION}.weight`], learningRateScale: 1, weightDecay: options.weightDecay },
      { names: [`${PROJECTION}.bias`], learningRateScale: 1, weightDecay: 0 },
    ],
    inputs: (batches) => labelledInputs(tf, batches, config),
    losses({ images, targets, known, auShare, imageShare }, seed) {
      // No gradient is asked for of the teacher's variables: it stays as it is.
      const teacherFeatures = teacher.features(images as Tensor4D, { training: false, seed: 0 });
      const teacherLogits = teacher.logits(teacherFeatures);
      const features = student.features(images as Tensor4D, { training: true, seed });
      const logits = student.logits(features);
      const answers = answerDistillationLoss(tf, logits, teacherLogits, options.temperature).mul(imageShare!);
      const projected = linear(
        tf,
        features,
        projection.get(`${PROJECTION}.weight`)!,
        projection.get(`${PROJECTION}.bias`)!,
      );
      const distance = projected.sub(teacherFeatures).square().mean().mul(imageShare!);
      const labels = auLoss(tf, logits, targets!, known!).mul(auShare!);
      const loss = answers
        .mul(options.logitsWeight)
        .add(distance.mul(options.featuresWeight))
        .add(labels.mul(options.labelsWeight));
      return { loss, measured: { loss, answerLoss: answers, featureLoss: distance, auLoss: labels } };
    },
    parameters: () => new Map([...student.parameters(), ...parametersFromVariables(projection)]),
    load(parameters) {
      student.load(new Map([...parameters].filter(([name]) => !projection.has(name))));
      assignParameters(tf, projection, new Map([...parameters].filter(([name]) => projection.has(name))));
    },
    dispose: () => tf.dispose([...projection.values()]),
  };
}
