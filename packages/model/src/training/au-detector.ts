import { gelu, gradientReversal, type TensorFlow } from "@duchenne/tensor";
import type { Tensor, Tensor4D, Variable } from "@tensorflow/tfjs";
import { identityHeadLayers, type ModelConfig, patchCount } from "../config.ts";
import { checkParameters, type ParameterSet } from "../parameters.ts";
import { createTransformer, patchEmbed } from "./transformer.ts";
import { parametersFromVariables, variablesFromParameters } from "./variables.ts";

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
  const { dim, depth, heads } = config;
  const identityHead = identityHeadLayers(config);
  const patches = patchCount(config);
  const variables = variablesFromParameters(tf, parameters);
  const value = (name: string): Variable => variables.get(name)!;
  const { linear: apply, norm, block } = createTransformer(tf, variables);

  function encode(images: Tensor4D, { training, seed }: ForwardOptions): Tensor {
    const cls = value("cls_token").tile([images.shape[0], 1, 1]);
    const projection = [value("patch_embed.proj.weight"), value("patch_embed.proj.bias")] as const;
    let x: Tensor = tf.concat([cls, patchEmbed(tf, images, ...projection, config)], 1).add(value("pos_embed"));
    for (let i = 0; i < depth; i++) {
      const rate = training ? (config.dropPath * i) / Math.max(depth - 1, 1) : 0;
      x = block(x, `blocks.${i}`, heads, { rate, seed: seed * 2 * depth + 2 * i });
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
    parameters: () => parametersFromVariables(variables),
    load(replacement) {
      checkParameters(config, replacement);
      for (const [name, { shape, data }] of replacement) {
        tf.tidy(() => value(name).assign(tf.tensor(data, [...shape])));
      }
    },
    dispose: () => tf.dispose([...variables.values()]),
  };
}
