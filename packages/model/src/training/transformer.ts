import {
  type Affine,
  dropPath,
  gelu,
  layerNorm,
  linear,
  residualAttention,
  residualMlp,
  type Seed,
  type TensorFlow,
} from "@duchenne/tensor";
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

  const layers = <N extends string>(prefix: string, names: Readonly<Record<N, string>>) => {
    const affine = (name: string): Affine => ({ weight: value(`${name}.weight`), bias: value(`${name}.bias`) });
    const entries = Object.entries<string>(names).map(([part, name]) => [part, affine(`${prefix}.${name}`)]);
    return Object.fromEntries(entries) as Record<N, Affine>;
  };

  const mlp = (x: Tensor, names: readonly string[]) =>
    names.reduce((y, name, i) => apply(i === 0 ? y : gelu(tf, y), name), x);

  return {
    linear: apply,
    mlp,
    norm,
    block(x, name, heads, { rate, seed, site } = { rate: 0, seed: 0, site: 0 }) {
      const options = (place: number) => ({
        epsilon: LAYER_NORM_EPSILON,
        ...(rate > 0 && { scale: dropPath(tf, tf.ones([x.shape[0]!]), rate, seed, place) }),
      });
      const attention = layers(name, { norm: "norm1", qkv: "attn.qkv", proj: "attn.proj" });
      const attended = residualAttention(tf, x, attention, heads, options(site));
      return residualMlp(
        tf,
        attended,
        layers(name, { norm: "norm2", fc1: "mlp.fc1", fc2: "mlp.fc2" }),
        options(site + 1),
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
