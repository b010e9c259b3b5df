import type { Tensor } from "@tensorflow/tfjs";
import { withCustomGradient } from "../custom-gradient.ts";
import { rawOp } from "../raw-op.ts";
import type { TensorFlow } from "../tensorflow.ts";
import { usesFusedKernels } from "./kernel-library.ts";

/** How rows [B T, 3 D] are cut. */
export interface AttentionShape {
  /** B. */
  readonly batch: number;
  /** K. */
  readonly heads: number;
}

/**
 * What the gradient needs: q / sqrt(D / K), k, v [B, K, T, D / K] and the probabilities [B, K, T, T]. Those are left out where
 * the gradient can compute them again: they are the one activation that grows with the square of the tokens.
 */
export type AttentionParts =
  | readonly [q: Tensor, k: Tensor, v: Tensor]
  | readonly [q: Tensor, k: Tensor, v: Tensor, probabilities: Tensor];

/**
 * Multi-head attention (Vaswani et al. 2017), softmax(q k^T / sqrt(D / K)) v, straight from the fused projection. Its
 * products are TensorFlow's own: a kernel that keeps the scores in the cache was no faster (docs/engine.md). Always float32:
 * in bfloat16 the gradient of the scores, a small difference of large numbers, loses most of its digits.
 *
 * @param qkv [B, T, 3 D]: q, k and v of each token, each head by head
 * @param heads K
 * @returns [B, T, D]
 */
export function attention(tf: TensorFlow, qkv: Tensor, heads: number): Tensor {
  const [batch, tokens, width] = qkv.shape as [number, number, number];
  const shape: AttentionShape = { batch, heads };
  const y = withCustomGradient<[Tensor]>(
    tf,
    {
      forward([rows], save) {
        const { mixed, parts } = attendRows(tf, rows, shape);
        save([...parts]);
        return mixed;
      },
      backward: (dy, parts) => attendRowsGrad(tf, dy, parts as readonly Tensor[] as AttentionParts),
    },
    qkv.reshape([batch * tokens, width]),
  );
  return y.reshape([batch, tokens, width / 3]);
}

/** Attention on rows. @param qkv [B T, 3 D] @returns `mixed` [B T, D] */
export function attendRows(
  tf: TensorFlow,
  qkv: Tensor,
  { batch, heads }: AttentionShape,
): { readonly mixed: Tensor; readonly parts: AttentionParts } {
  const width = qkv.shape[1]! / 3;
  const byPart = qkv.reshape([batch, -1, 3, heads, width / heads]).transpose([2, 0, 3, 1, 4]);
  const [query, k, v] = tf.unstack(byPart) as [Tensor, Tensor, Tensor];
  const q = query.mul((width / heads) ** -0.5);
  const probabilities = tf.matMul(q, k, false, true).softmax();
  const mixed = tf.matMul(probabilities, v).transpose([0, 2, 1, 3]).reshape([-1, width]);
  return { mixed, parts: usesFusedKernels(tf, "softmax") ? [q, k, v] : [q, k, v, probabilities] };
}

/** The gradient for qkv [B T, 3 D]. @param dy [B T, D] */
export function attendRowsGrad(tf: TensorFlow, dy: Tensor, parts: AttentionParts): Tensor {
  const [q, k, v] = parts;
  const [batch, heads, tokens, headDim] = q.shape as [number, number, number, number];
  const dMixed = dy.reshape([batch, tokens, heads, headDim]).transpose([0, 2, 1, 3]);
  const { probabilities, dScores } = scoresGrad(tf, tf.matMul(dMixed, v, false, true), parts);
  const dQuery = tf.matMul(dScores, k).mul(headDim ** -0.5);
  const dKey = tf.matMul(dScores, q, true);
  const dValue = tf.matMul(probabilities, dMixed, true);
  const byPart = tf.stack([dQuery, dKey, dValue]); // [3, B, K, T, D / K]
  return byPart.transpose([1, 3, 0, 2, 4]).reshape([batch * tokens, 3 * heads * headDim]);
}

/** The softmax's gradient, and the probabilities, which may have to be computed again. @param dy that of the probabilities */
function scoresGrad(
  tf: TensorFlow,
  dy: Tensor,
  [q, k, , kept]: AttentionParts,
): { readonly probabilities: Tensor; readonly dScores: Tensor } {
  if (kept === undefined) {
    const scores = tf.matMul(rawOp(tf, "DuchenneAfter", [q, dy])[0], k, false, true);
    const [probabilities, dScores] = rawOp(tf, "DuchenneSoftmaxGrad", [scores, dy], {}, 2);
    return { probabilities, dScores };
  }
  const weighted = kept.mul(dy);
  return { probabilities: kept, dScores: weighted.sub(kept.mul(weighted.sum(-1, true))) };
}
