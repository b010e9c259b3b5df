import { dropPath, gelu, layerNorm, linear, type Seed, type TensorFlow } from "@duchenne/tensor";
import type { Tensor, Variable } from "@tensorflow/tfjs";
import { LAYER_NORM_EPSILON } from "../config.ts";

/** The parts of a vision transformer over one set of variables; names are those of a checkpoint. */
export interface Transformer {
  /** x W^T + b. @param x [..., I] */
  linear(x: Tensor, name: string): Tensor;
  /** Linear layers one after the other, with GELU between them. @param x [..., I] */
  mlp(x: Tensor, names: readonly string[]): Tensor;
  /** Over the last axis. */
  norm(x: Tensor, name: string): Tensor;
  /**
   * A pre-norm block of attention and MLP.
   *
   * @param x [B, T, D]
   * @param drop the stochastic depth of its branches
   */
  block(x: Tensor, name: string, heads: number, drop?: StochasticDepth): Tensor;
}

/** What the branches of a block drop. */
export interface StochasticDepth {
  readonly rate: number;
  readonly seed: Seed;
  /** The first of the two places at which the block draws. */
  readonly site: number;
}

/** Binds the parts to variables. */
export function createTransformer(tf: TensorFlow, variables: ReadonlyMap<string, Variable>): Transformer {
  const value = (name: string): Variable => variables.get(name)!;
  const apply = (x: Tensor, name: string) => linear(tf, x, value(`${name}.weight`), value(`${name}.bias`));
  const norm = (x: Tensor, name: string) =>
    layerNorm(tf, x, value(`${name}.weight`), value(`${name}.bias`), LAYER_NORM_EPSILON);

  function attention(x: Tensor, name: string, heads: number): Tensor {
    const [, tokens, dim] = x.shape as [number, number, number];
    const headDim = dim / heads;
    const qkv = apply(x, `${name}.qkv`).reshape([-1, tokens, 3, heads, headDim]).transpose([2, 0, 3, 1, 4]);
    const [q, k, v] = tf.unstack(qkv) as [Tensor, Tensor, Tensor]; // [B, K, T, D / K]
    const weights = tf.matMul(q.mul(headDim ** -0.5), k, false, true).softmax(); // [B, K, T, T]
    const mixed = tf.matMul(weights, v).transpose([0, 2, 1, 3]).reshape([-1, tokens, dim]);
    return apply(mixed, `${name}.proj`);
  }

  const mlp = (x: Tensor, names: readonly string[]) =>
    names.reduce((y, name, i) => apply(i === 0 ? y : gelu(tf, y), name), x);

  return {
    linear: apply,
    mlp,
    norm,
    block(x, name, heads, { rate, seed, site } = { rate: 0, seed: 0, site: 0 }) {
      const attended = x.add(
        dropPath(tf, attention(norm(x, `${name}.norm1`), `${name}.attn`, heads), rate, seed, site),
      );
      return attended.add(
        dropPath(
          tf,
          mlp(norm(attended, `${name}.norm2`), [`${name}.mlp.fc1`, `${name}.mlp.fc2`]),
          rate,
          seed,
          site + 1,
        ),
      );
    },
  };
}

/** What a patch projection is made of. */
export interface PatchGrid {
  readonly imageSize: number;
  readonly patchSize: number;
}

/**
 * Cuts images into patches, each flattened channel first, as a convolution's weight is.
 *
 * @param images [B, 3, S, S]
 * @returns [B, N, 3 P P]
 */
export function patchesChannelFirst(images: Tensor, { imageSize, patchSize }: PatchGrid): Tensor {
  const grid = imageSize / patchSize;
  return images
    .reshape([-1, 3, grid, patchSize, grid, patchSize])
    .transpose([0, 2, 4, 1, 3, 5])
    .reshape([-1, grid * grid, 3 * patchSize ** 2]);
}

/** The strided convolution as one product; its gradient is the same in every run. @returns [B, N, D] */
export function patchEmbed(tf: TensorFlow, images: Tensor, weight: Tensor, bias: Tensor, grid: PatchGrid): Tensor {
  const flat = weight.reshape([weight.shape[0]!, 3 * grid.patchSize ** 2]);
  return linear(tf, patchesChannelFirst(images, grid), flat, bias);
}
