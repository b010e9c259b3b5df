import { type TensorFlow, withCustomGradient } from "@duchenne/tensor";
import type { Tensor } from "@tensorflow/tfjs";

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
  const oneHot = tf.oneHot(subjects as never, logits.shape[1]!).cast("float32");
  if (kind === "bce") return binaryCrossEntropy(tf, logits, oneHot).mean();
  return tf.logSoftmax(logits).mul(oneHot).sum(-1).mean().neg();
}
