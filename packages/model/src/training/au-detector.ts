import { gradientReversal, type TensorFlow } from "@duchenne/tensor";
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import { identityHeadLayers, type ModelConfig } from "../config.ts";
import type { ParameterSet } from "../parameters.ts";
import { createVit, type Pass, type Vit } from "./vit.ts";

/** How images are passed through. */
export interface ForwardOptions extends Pass {
  /** Strength of the gradient reversal before the identity head. */
  readonly lambda: number;
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
export interface AuDetector extends Vit {
  readonly config: ModelConfig;
  /** Passes images [B, 3, S, S], normalised, through. Call within tf.tidy or a gradient function. */
  forward(images: Tensor4D, options: ForwardOptions): ForwardResult;
}

/**
 * Makes the detector of Ning et al. 2024 (FMAE-IAT): a transformer with linear heads, of which the identity head reads
 * the features through gradient reversal.
 *
 * @throws {ParameterMismatchError} when the parameters are not the configuration's
 */
export function createAuDetector(tf: TensorFlow, config: ModelConfig, parameters: ParameterSet): AuDetector {
  const vit = createVit(tf, config, parameters);
  const identityHead = identityHeadLayers(config).map(({ name }) => name);
  return {
    ...vit,
    config,
    forward(images, options) {
      const features = vit.features(images, options);
      const auLogits = vit.logits(features);
      if (identityHead.length === 0) return { features, auLogits };
      const reversed = gradientReversal(tf, features, options.lambda);
      return { features, auLogits, identityLogits: vit.transformer.mlp(reversed, identityHead) };
    },
  };
}
