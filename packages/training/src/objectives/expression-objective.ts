import { crossEntropy, parameterGroups, type Vit } from "@duchenne/model/training";
import type { TensorFlow } from "@duchenne/tensor";
import type { Tensor4D } from "@tensorflow/tfjs";
import { imageTensor } from "./au-objective.ts";
import { type Objective, sharesOf } from "./objective.ts";

/** A micro-batch with a class for each image. */
export interface ExpressionBatch {
  /** [B, 3, S, S], normalised. */
  readonly images: Float32Array;
  /** [B]: an index into the classes. */
  readonly expressions: Int32Array;
}

/** Softmax cross-entropy over the classes, averaged over the images of the step (1.15 of the behavioural specification). */
export function createExpressionObjective(
  tf: TensorFlow,
  classifier: Vit,
  decay: { readonly layerDecay: number; readonly weightDecay: number },
): Objective<ExpressionBatch> {
  return {
    variables: classifier.variables,
    groups: parameterGroups(classifier.config, decay),
    inputs(batches) {
      const shares = sharesOf(batches.map(({ expressions }) => expressions.length));
      return batches.map(({ images, expressions }, i) => ({
        images: imageTensor(tf, images, classifier.config),
        expressions: tf.tensor1d(expressions, "int32"),
        share: tf.scalar(shares[i]!),
      }));
    },
    losses({ images, expressions, share }, seed) {
      const logits = classifier.logits(classifier.features(images as Tensor4D, { training: true, seed }));
      const loss = crossEntropy(tf, logits, expressions!).mul(share!);
      const accuracy = logits.argMax(-1).equal(expressions!).cast("float32").mean().mul(share!);
      return { loss, measured: { loss, accuracy } };
    },
    parameters: () => classifier.parameters(),
    load: (parameters) => classifier.load(parameters),
  };
}
