import type { TensorFlow } from "@duchenne/tensor";
import type { Tensor, Tensor1D, Tensor4D, Variable } from "@tensorflow/tfjs";
import { patchCount } from "../config.ts";
import { FIXED_MAE_PARAMETERS, type MaeConfig, maeParameterShapes } from "../mae-config.ts";
import { checkShapes, type ParameterSet } from "../parameters.ts";
import { createTransformer, type PatchGrid, patchEmbed } from "./transformer.ts";
import { assignParameters, parametersFromVariables, variablesFromParameters } from "./variables.ts";

/** Which patches of a batch the encoder sees. */
export interface PatchMask {
  /** [B * K]: the rows of [B * N] that are kept, sample by sample, in the order of the noise. */
  readonly kept: Int32Array;
  /** [B * N]: where each patch stands in [kept, masked] of its sample. */
  readonly restore: Int32Array;
  /** [B * N]: 1 masked, 0 seen. */
  readonly masked: Float32Array;
}

/**
 * Draws a mask as the reference does: per sample, the patches with the smallest noise are kept.
 *
 * @param noise [B * N], uniform
 * @param patches N
 * @param maskRatio share of patches that is hidden; int(N * (1 - maskRatio)) are kept
 */
export function maskFromNoise(noise: Float32Array, patches: number, maskRatio: number): PatchMask {
  const samples = noise.length / patches;
  const keep = Math.floor(patches * (1 - maskRatio));
  const kept = new Int32Array(samples * keep);
  const restore = new Int32Array(noise.length);
  const masked = new Float32Array(noise.length).fill(1);
  for (let b = 0; b < samples; b++) {
    const start = b * patches;
    const order = Array.from({ length: patches }, (_, i) => i).sort((i, j) => noise[start + i]! - noise[start + j]!);
    for (const [place, patch] of order.entries()) {
      restore[start + patch] = place;
      if (place >= keep) continue;
      kept[b * keep + place] = start + patch;
      masked[start + patch] = 0;
    }
  }
  return { kept, restore, masked };
}

/** A mask as tensors of one batch. */
export interface MaskTensors {
  /** [B * K], int32: as in the mask. */
  readonly kept: Tensor;
  /** [B * N], int32: the row of [B * N], seen and hidden patches sample by sample, that each patch is restored from. */
  readonly places: Tensor;
  /** [B, N] */
  readonly masked: Tensor;
}

/** Makes a mask's tensors. @param patches N */
export function maskTensors(tf: TensorFlow, { kept, restore, masked }: PatchMask, patches: number): MaskTensors {
  return {
    kept: tf.tensor1d(kept, "int32"),
    places: tf.tensor1d(
      restore.map((place, i) => Math.floor(i / patches) * patches + place),
      "int32",
    ),
    masked: tf.tensor2d(masked, [masked.length / patches, patches]),
  };
}

/**
 * Cuts images into patches, each flattened row, column, channel: the target of the reconstruction.
 *
 * @param images [B, 3, S, S]
 * @returns [B, N, P P 3]
 */
export function patchesChannelLast(images: Tensor, { imageSize, patchSize }: PatchGrid): Tensor {
  const grid = imageSize / patchSize;
  return images
    .reshape([-1, 3, grid, patchSize, grid, patchSize])
    .transpose([0, 2, 4, 3, 5, 1])
    .reshape([-1, grid * grid, 3 * patchSize ** 2]);
}

/** What a pass answers. */
export interface MaeResult {
  /** Mean squared error over the masked patches. */
  readonly loss: Tensor;
  /** [B, N, P P 3] */
  readonly prediction: Tensor;
}

/** A masked autoencoder. */
export interface Mae {
  /** The trained parameters by their names in a checkpoint. */
  readonly variables: ReadonlyMap<string, Variable>;
  /**
   * Hides patches and reconstructs them. Call within tf.tidy or a gradient function.
   *
   * @param images [B, 3, S, S], normalised
   * @param normPixLoss standardises each target patch by its own mean and variance
   */
  forward(images: Tensor4D, mask: MaskTensors, options: { readonly normPixLoss: boolean }): MaeResult;
  /** Copies of all parameters, the fixed tables included. */
  parameters(): ParameterSet;
  /** Replaces all parameters. @throws {ParameterMismatchError} */
  load(parameters: ParameterSet): void;
  dispose(): void;
}

/**
 * Makes a masked autoencoder (He et al. 2022, as FMAE pretrains): positions are fixed and added before masking, the class
 * token is always kept, the decoder sees mask tokens in the hidden places, and the loss looks at hidden patches alone.
 *
 * @throws {ParameterMismatchError} when the parameters are not the configuration's
 */
export function createMae(tf: TensorFlow, config: MaeConfig, parameters: ParameterSet): Mae {
  checkShapes(maeParameterShapes(config), parameters);
  const { dim, depth, heads, decoderDim, decoderDepth, decoderHeads } = config;
  const patches = patchCount(config);
  const all = variablesFromParameters(tf, parameters, (name) => !FIXED_MAE_PARAMETERS.has(name));
  const variables = new Map([...all].filter(([name]) => !FIXED_MAE_PARAMETERS.has(name)));
  const value = (name: string): Variable => all.get(name)!;
  const { linear, norm, block } = createTransformer(tf, variables);
  /** Positions of the patches, without the class token's. */
  const patchPositions = (name: string) => value(name).slice([0, 1, 0]);

  function encode(images: Tensor4D, { kept }: MaskTensors): Tensor {
    const batch = images.shape[0];
    const projection = [value("patch_embed.proj.weight"), value("patch_embed.proj.bias")] as const;
    const embedded = patchEmbed(tf, images, ...projection, config).add(patchPositions("pos_embed"));
    const seen = tf.gather(embedded.reshape([batch * patches, dim]), kept as Tensor1D).reshape([batch, -1, dim]);
    const cls = value("cls_token")
      .add(value("pos_embed").slice([0, 0, 0], [1, 1, dim]))
      .tile([batch, 1, 1]);
    let x: Tensor = tf.concat([cls, seen], 1); // [B, K + 1, D]
    for (let i = 0; i < depth; i++) x = block(x, `blocks.${i}`, heads);
    return norm(x, "norm");
  }

  function decode(latent: Tensor, { places }: MaskTensors): Tensor {
    const [batch, tokens] = latent.shape as [number, number, number];
    const embedded = linear(latent, "decoder_embed");
    const hidden = value("mask_token").tile([batch, patches - (tokens - 1), 1]);
    const shuffled = tf.concat([embedded.slice([0, 1, 0]), hidden], 1); // [B, N, D']
    const ordered = tf.gather(shuffled.reshape([batch * patches, decoderDim]), places as Tensor1D);
    const cls = embedded.slice([0, 0, 0], [batch, 1, decoderDim]);
    let x: Tensor = tf.concat([cls, ordered.reshape([batch, patches, decoderDim])], 1).add(value("decoder_pos_embed"));
    for (let i = 0; i < decoderDepth; i++) x = block(x, `decoder_blocks.${i}`, decoderHeads);
    return linear(norm(x, "decoder_norm"), "decoder_pred").slice([0, 1, 0]); // [B, N, P P 3]
  }

  return {
    variables,
    forward(images, mask, { normPixLoss }) {
      const prediction = decode(encode(images, mask), mask);
      const pixels = patchesChannelLast(images, config);
      const target = normPixLoss ? standardised(pixels) : pixels;
      const errors = prediction.sub(target).square().mean(-1); // [B, N]
      return { loss: errors.mul(mask.masked).sum().div(mask.masked.sum()), prediction };
    },
    parameters: () => parametersFromVariables(all),
    load(replacement) {
      checkShapes(maeParameterShapes(config), replacement);
      assignParameters(tf, all, replacement);
    },
    dispose: () => tf.dispose([...all.values()]),
  };
}

/** Each patch by its own mean and unbiased variance, with 1e-6 under the root. @param patches [B, N, Q] */
function standardised(patches: Tensor): Tensor {
  const centred = patches.sub(patches.mean(-1, true));
  const variance = centred
    .square()
    .sum(-1, true)
    .div(patches.shape.at(-1)! - 1);
  return centred.div(variance.add(1e-6).sqrt());
}
