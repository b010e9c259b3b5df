import {
  type AuDetector,
  auLoss,
  type IdentityLossKind,
  identityLoss,
  parameterGroups,
} from "@duchenne/model/training";
import type { TensorFlow } from "@duchenne/tensor";
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import { type Inputs, type Losses, type Objective, sharesOf } from "./objective.ts";

/** A micro-batch with action unit labels. */
export interface AuBatch {
  /** [B, 3, S, S], normalised. */
  readonly images: Float32Array;
  /** [B, A]: 1 occurs, 0 does not, -1 unknown and left out of the loss. */
  readonly occurrence: Int8Array;
  /** [B] */
  readonly subjects: Int32Array;
}

/** How the losses of a fine-tune are taken. */
export interface AuObjectiveOptions {
  /** Strength of the gradient reversal. */
  readonly lambda: number;
  readonly identityLoss: IdentityLossKind;
  readonly layerDecay: number;
  readonly weightDecay: number;
}

/**
 * The action unit loss and, with an identity head, the identity loss at equal weight: lambda acts in the gradient
 * reversal alone (Ning et al. 2024, eq. 3 and 4). Action unit losses are means over all known labels of the step, whatever
 * the micro-batches; identity losses over all its images.
 */
export function createAuObjective(
  tf: TensorFlow,
  detector: AuDetector,
  { lambda, identityLoss: kind, layerDecay, weightDecay }: AuObjectiveOptions,
): Objective<AuBatch> {
  const { config, variables } = detector;
  const auLossOf = (auLogits: Tensor, { targets, known, auShare }: Inputs) =>
    auLoss(tf, auLogits, targets!, known!).mul(auShare!);
  return {
    variables,
    groups: parameterGroups(config, { layerDecay, weightDecay }),
    inputs(batches) {
      const inputs = labelledInputs(tf, batches, config);
      return inputs.map((each, i) => ({ ...each, subjects: tf.tensor1d(batches[i]!.subjects, "int32") }));
    },
    losses(inputs, seed): Losses {
      const pass = detector.forward(inputs.images as Tensor4D, { training: true, lambda, seed });
      const au = auLossOf(pass.auLogits, inputs);
      if (pass.identityLogits === undefined) return { loss: au, measured: { auLoss: au } };
      const { subjects, imageShare } = inputs;
      const identity = identityLoss(tf, pass.identityLogits, subjects!, kind).mul(imageShare!);
      const named = pass.identityLogits.argMax(-1).equal(subjects!).cast("float32").mean().mul(imageShare!);
      return {
        loss: au.add(identity),
        measured: { auLoss: au, identityLoss: identity, identityAccuracy: named },
      };
    },
    adversary: {
      backbone: [...variables.keys()].filter((name) => !/^(head|ID_head)\./.test(name)),
      loss: (inputs, seed) =>
        auLossOf(detector.forward(inputs.images as Tensor4D, { training: true, lambda, seed }).auLogits, inputs),
    },
    parameters: () => detector.parameters(),
    load: (parameters) => detector.load(parameters),
  };
}

/** Images and labels of a step's micro-batches, with their shares of its known labels and of its images. */
export function labelledInputs(
  tf: TensorFlow,
  batches: readonly AuBatch[],
  config: AuDetector["config"],
): Readonly<Record<"images" | "targets" | "known" | "auShare" | "imageShare", Tensor>>[] {
  const auShares = sharesOf(batches.map(({ occurrence }) => occurrence.filter((label) => label !== -1).length));
  const imageShares = sharesOf(batches.map(({ subjects }) => subjects.length));
  return batches.map((batch, i) => ({
    ...labelTensors(tf, batch.occurrence, config.actionUnits.length),
    images: imageTensor(tf, batch.images, config),
    auShare: tf.scalar(auShares[i]!),
    imageShare: tf.scalar(imageShares[i]!),
  }));
}

/** Images [B, 3, S, S] as a tensor. */
export function imageTensor(
  tf: TensorFlow,
  images: Float32Array,
  { imageSize }: { readonly imageSize: number },
): Tensor4D {
  return tf.tensor4d(images, [images.length / (3 * imageSize ** 2), 3, imageSize, imageSize]);
}

/** Occurrences [B, A] as targets 0 or 1, and as what is known. */
function labelTensors(
  tf: TensorFlow,
  occurrence: Int8Array,
  units: number,
): { readonly targets: Tensor; readonly known: Tensor } {
  const tensorOf = (value: (label: number) => boolean) =>
    tf.tensor2d(
      Float32Array.from(occurrence, (label) => (value(label) ? 1 : 0)),
      [occurrence.length / units, units],
    );
  return { targets: tensorOf((label) => label === 1), known: tensorOf((label) => label !== -1) };
}
