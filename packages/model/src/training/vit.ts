import type { Seed, TensorFlow } from "@duchenne/tensor";
import type { Tensor, Tensor4D, Variable } from "@tensorflow/tfjs";
import { patchCount, type VitConfig } from "../config.ts";
import { checkParameters, type ParameterSet } from "../parameters.ts";
import { createTransformer, patchEmbed, type Transformer } from "./transformer.ts";
import { assignParameters, parametersFromVariables, variablesFromParameters } from "./variables.ts";

/** How images are passed through. */
export interface Pass {
  /** Turns stochastic depth on. */
  readonly training: boolean;
  /** Fixes which samples stochastic depth drops; a tensor [2] of int32 where the pass is compiled. */
  readonly seed: Seed;
}

/** A vision transformer with a linear head. */
export interface Vit {
  readonly config: VitConfig;
  /** By their names in a checkpoint. */
  readonly variables: ReadonlyMap<string, Variable>;
  readonly transformer: Transformer;
  /**
   * Images [B, 3, S, S], normalised, to features [B, D]: the mean over the patch tokens, then fc_norm. Call within
   * tf.tidy or a gradient function.
   */
  features(images: Tensor4D, pass: Pass): Tensor;
  /** Features [B, D] to logits [B, C]. */
  logits(features: Tensor): Tensor;
  /** Copies of the parameters. */
  parameters(): ParameterSet;
  /** Replaces the parameters. @throws {ParameterMismatchError} */
  load(parameters: ParameterSet): void;
  dispose(): void;
}

/**
 * Makes a transformer (Dosovitskiy et al. 2021, pooled as He et al. 2022): patch projection, class token, learned
 * positions, pre-norm blocks, the mean over patch tokens, fc_norm, a linear head.
 *
 * @throws {ParameterMismatchError} when the parameters are not the configuration's
 */
export function createVit(tf: TensorFlow, config: VitConfig, parameters: ParameterSet): Vit {
  checkParameters(config, parameters);
  const { dim, depth, heads } = config;
  const patches = patchCount(config);
  const variables = variablesFromParameters(tf, parameters);
  const value = (name: string): Variable => variables.get(name)!;
  const transformer = createTransformer(tf, variables);
  return {
    config,
    variables,
    transformer,
    features(images, { training, seed }) {
      const cls = value("cls_token").tile([images.shape[0], 1, 1]);
      const projection = [value("patch_embed.proj.weight"), value("patch_embed.proj.bias")] as const;
      let x: Tensor = tf.concat([cls, patchEmbed(tf, images, ...projection, config)], 1).add(value("pos_embed"));
      for (let i = 0; i < depth; i++) {
        const rate = training ? (config.dropPath * i) / Math.max(depth - 1, 1) : 0;
        x = transformer.block(x, `blocks.${i}`, heads, { rate, seed, site: 2 * i });
      }
      return transformer.norm(x.slice([0, 1, 0], [-1, patches, dim]).mean(1), "fc_norm");
    },
    logits: (features) => transformer.linear(features, "head"),
    parameters: () => parametersFromVariables(variables),
    load(replacement) {
      checkParameters(config, replacement);
      assignParameters(tf, variables, replacement);
    },
    dispose: () => tf.dispose([...variables.values()]),
  };
}
