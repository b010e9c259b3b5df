import { dropPath, gelu, gradientReversal, layerNorm, linear, type TensorFlow } from "@duchenne/tensor";
import type { Tensor, Tensor4D, Variable } from "@tensorflow/tfjs";
import { identityHeadLayers, LAYER_NORM_EPSILON, type ModelConfig, patchCount } from "../config.ts";
import { checkParameters, type Parameter, type ParameterSet } from "../parameters.ts";

/** How images are passed through. */
export interface ForwardOptions {
  /** Turns stochastic depth on. */
  readonly training: boolean;
  /** Strength of the gradient reversal before the identity head. */
  readonly lambda: number;
  /** Fixes which samples stochastic depth drops. */
  readonly seed: number;
}

/** What a pass answers. */
export interface ForwardResult {
  /** [B, D]: pooled over the patch tokens, then normalised. */
  readonly features: Tensor;
  /** [B, A] */
  readonly auLogits: Tensor;
  /** [B, S]; absent without an identity head. */
  readonly identityLogits?: Tensor;
}

/** A vision transformer with an action unit head and, for identity adversarial training, an identity head. */
export interface AuDetector {
  /** By their names in a checkpoint. */
  readonly variables: ReadonlyMap<string, Variable>;
  /** Passes images [B, 3, S, S], normalised, through. Call within tf.tidy or a gradient function. */
  forward(images: Tensor4D, options: ForwardOptions): ForwardResult;
  /** Copies of the parameters. */
  parameters(): ParameterSet;
  /** Replaces the parameters. @throws {ParameterMismatchError} */
  load(parameters: ParameterSet): void;
  dispose(): void;
}

/**
 * Makes the detector of Ning et al. 2024 (FMAE-IAT): patch projection, class token, learned positions, pre-norm blocks,
 * the mean over patch tokens, fc_norm, and linear heads; the identity head reads the features through gradient reversal.
 *
 * @throws {ParameterMismatchError} when the parameters are not the configuration's
 */
export function createAuDetector(tf: TensorFlow, config: ModelConfig, parameters: ParameterSet): AuDetector {
  checkParameters(config, parameters);
  const { dim, depth, heads, imageSize, patchSize } = config;
  const identityHead = identityHeadLayers(config);
  const patches = patchCount(config);
  const grid = imageSize / patchSize;
  const headDim = dim / heads;
  const variables = new Map<string, Variable>();
  for (const [name, { shape, data }] of parameters) {
    variables.set(
      name,
      tf.tidy(() => tf.variable(tf.tensor(data, [...shape]), true)),
    );
  }
  const value = (name: string): Variable => variables.get(name)!;
  const apply = (x: Tensor, name: string) => linear(tf, x, value(`${name}.weight`), value(`${name}.bias`));
  const norm = (x: Tensor, name: string) =>
    layerNorm(tf, x, value(`${name}.weight`), value(`${name}.bias`), LAYER_NORM_EPSILON);

  /** The strided convolution as one product; its gradient is the same in every run. */
  function patchEmbed(images: Tensor4D): Tensor {
    const flat = images
      .reshape([-1, 3, grid, patchSize, grid, patchSize])
      .transpose([0, 2, 4, 1, 3, 5])
      .reshape([-1, patches, 3 * patchSize ** 2]); // [B, N, 3 P P]
    const weight = value("patch_embed.proj.weight").reshape([dim, 3 * patchSize ** 2]);
    return linear(tf, flat, weight, value("patch_embed.proj.bias"));
  }

  function attention(x: Tensor, name: string): Tensor {
    const tokens = x.shape[1]!;
    const qkv = apply(x, `${name}.qkv`).reshape([-1, tokens, 3, heads, headDim]).transpose([2, 0, 3, 1, 4]);
    const [q, k, v] = tf.unstack(qkv) as [Tensor, Tensor, Tensor]; // [B, K, N + 1, D / K]
    const weights = tf.matMul(q.mul(headDim ** -0.5), k, false, true).softmax(); // [B, K, N + 1, N + 1]
    const mixed = tf.matMul(weights, v).transpose([0, 2, 1, 3]).reshape([-1, tokens, dim]);
    return apply(mixed, `${name}.proj`);
  }

  const mlp = (x: Tensor, name: string) => apply(gelu(tf, apply(x, `${name}.fc1`)), `${name}.fc2`);

  function encode(images: Tensor4D, { training, seed }: ForwardOptions): Tensor {
    const batch = images.shape[0];
    const cls = value("cls_token").tile([batch, 1, 1]);
    let x: Tensor = tf.concat([cls, patchEmbed(images)], 1).add(value("pos_embed"));
    for (let i = 0; i < depth; i++) {
      const rate = training ? (config.dropPath * i) / Math.max(depth - 1, 1) : 0;
      const block = `blocks.${i}`;
      const drop = (branch: Tensor, which: number) => dropPath(tf, branch, rate, seed * 2 * depth + 2 * i + which);
      x = x.add(drop(attention(norm(x, `${block}.norm1`), `${block}.attn`), 0));
      x = x.add(drop(mlp(norm(x, `${block}.norm2`), `${block}.mlp`), 1));
    }
    return norm(x.slice([0, 1, 0], [-1, patches, dim]).mean(1), "fc_norm");
  }

  return {
    variables,
    forward(images, options) {
      const features = encode(images, options);
      const auLogits = apply(features, "head");
      if (identityHead.length === 0) return { features, auLogits };
      const identityLogits = identityHead.reduce<Tensor>(
        (x, { name }, i) => apply(i === 0 ? x : gelu(tf, x), name),
        gradientReversal(tf, features, options.lambda),
      );
      return { features, auLogits, identityLogits };
    },
    parameters: () =>
      new Map(
        [...variables].map(([name, variable]): [string, Parameter] => [
          name,
          { shape: variable.shape, data: Float32Array.from(variable.dataSync()) },
        ]),
      ),
    load(replacement) {
      checkParameters(config, replacement);
      for (const [name, { shape, data }] of replacement) {
        tf.tidy(() => value(name).assign(tf.tensor(data, [...shape])));
      }
    },
    dispose: () => tf.dispose([...variables.values()]),
  };
}
