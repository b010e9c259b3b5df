import { type TensorFlow, withCustomGradient } from "@duchenne/tensor";
import type { Tensor, Tensor1D } from "@tensorflow/tfjs";

/** Which loss the identity head has. */
export type IdentityLossKind = "bce" | "ce";

/**
 * Binary cross-entropy of logits against 0/1 targets, by element, in the form that does not overflow:
 * max(z, 0) - z y + log(1 + exp(-|z|)). Its gradient is sigmoid(z) - y, also at 0.
 */
function binaryCrossEntropy(tf: TensorFlow, logits: Tensor, targets: Tensor): Tensor {
  return withCustomGradient<[Tensor]>(
    tf,
    {
      forward([z], save) {
        // Targets too: what is made within a gradient function is gone when its gradient is taken.
        save([z, targets]);
        return z.relu().sub(z.mul(targets)).add(z.abs().neg().exp().log1p());
      },
      backward(dy, saved) {
        const [z, y] = saved as [Tensor, Tensor];
        return dy.mul(z.sigmoid().sub(y));
      },
    },
    logits,
  );
}

/**
 * The action unit loss: binary cross-entropy, averaged over all known labels of the batch.
 *
 * @param logits [B, A]
 * @param targets [B, A], 0 or 1
 * @param known [B, A], 1 where the label is known; left out: all are
 */
export function auLoss(tf: TensorFlow, logits: Tensor, targets: Tensor, known?: Tensor): Tensor {
  const losses = binaryCrossEntropy(tf, logits, targets);
  if (known === undefined) return losses.mean();
  return losses.mul(known).sum().div(known.sum().maximum(1));
}

/**
 * The identity loss. "bce", as published: binary cross-entropy over the one-hot subject vector, averaged over batch and
 * subjects, so that its gradient is diluted by their number. "ce": softmax cross-entropy, averaged over the batch.
 *
 * @param logits [B, S]
 * @param subjects [B], int32
 */
export function identityLoss(tf: TensorFlow, logits: Tensor, subjects: Tensor, kind: IdentityLossKind): Tensor {
  if (kind === "ce") return crossEntropy(tf, logits, subjects);
  return binaryCrossEntropy(tf, logits, tf.oneHot(subjects as Tensor1D, logits.shape[1]!).cast("float32")).mean();
}

/**
 * Softmax cross-entropy, averaged over the batch.
 *
 * @param logits [B, C]
 * @param classes [B], int32
 */
export function crossEntropy(tf: TensorFlow, logits: Tensor, classes: Tensor): Tensor {
  const oneHot = tf.oneHot(classes as Tensor1D, logits.shape[1]!).cast("float32");
  return tf.logSoftmax(logits).mul(oneHot).sum(-1).mean().neg();
}

/**
 * How far a student's answers are from its teacher's: the binary cross-entropy of its softened probabilities against the
 * teacher's, times the squared temperature so that gradients keep their size (Hinton et al. 2015, section 2.1, for
 * independent labels), averaged over all outputs of the batch.
 *
 * @param logits [B, A] of the student
 * @param teacher [B, A], logits of the teacher
 */
export function answerDistillationLoss(tf: TensorFlow, logits: Tensor, teacher: Tensor, temperature: number): Tensor {
  const soft = teacher.div(temperature).sigmoid();
  return binaryCrossEntropy(tf, logits.div(temperature), soft)
    .mean()
    .mul(temperature ** 2);
}
