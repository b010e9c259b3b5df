import { type MaeConfig, patchCount } from "@duchenne/model";
import { type Mae, maeParameterGroups, maskTensors, type PatchMask } from "@duchenne/model/training";
import type { TensorFlow } from "@duchenne/tensor";
import type { Tensor4D } from "@tensorflow/tfjs";
import { imageTensor } from "./au-objective.ts";
import { type Objective, sharesOf } from "./objective.ts";

/** A micro-batch with the patches that are hidden. */
export interface MaeBatch {
  /** [B, 3, S, S], normalised. */
  readonly images: Float32Array;
  readonly mask: PatchMask;
}

/** Reconstruction of hidden patches (He et al. 2022): the mean squared error over all hidden patches of the step. */
export function createMaeObjective(
  tf: TensorFlow,
  mae: Mae,
  config: MaeConfig,
  { normPixLoss, weightDecay }: { readonly normPixLoss: boolean; readonly weightDecay: number },
): Objective<MaeBatch> {
  const patches = patchCount(config);
  return {
    variables: mae.variables,
    groups: maeParameterGroups(config, weightDecay),
    inputs(batches) {
      const shares = sharesOf(batches.map(({ images }) => images.length));
      return batches.map(({ images, mask }, i) => ({
        images: imageTensor(tf, images, config),
        ...maskTensors(tf, mask, patches),
        share: tf.scalar(shares[i]!),
      }));
    },
    losses({ images, kept, places, masked, share }) {
      const mask = { kept: kept!, places: places!, masked: masked! };
      const loss = mae.forward(images as Tensor4D, mask, { normPixLoss }).loss.mul(share!);
      return { loss, measured: { loss } };
    },
    parameters: () => mae.parameters(),
    load: (parameters) => mae.load(parameters),
  };
}
