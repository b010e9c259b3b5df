import type { Tensor } from "@tensorflow/tfjs";
import { withCustomGradient } from "../custom-gradient.ts";
import { rawOp } from "../raw-op.ts";
import type { TensorFlow } from "../tensorflow.ts";
import type { Precision } from "./autocast.ts";
import { castTo } from "./cast-to.ts";
import { usesFusedKernels } from "./kernel-library.ts";

/** A LayerNorm's input [R, D] and parameters [D]. */
export type LayerNormInputs = readonly [rows: Tensor, gain: Tensor, offset: Tensor];
/** Of each row [R]: mean and 1 / standard deviation. */
export type LayerNormStatistics = readonly [mean: Tensor, rstd: Tensor];

/**
 * Layer normalisation over the last axis (Ba et al. 2016).
 *
 * @param x [..., D]
 * @param weight [D]
 * @param bias [D]
 */
export function layerNorm(tf: TensorFlow, x: Tensor, weight: Tensor, bias: Tensor, epsilon: number): Tensor {
  const y = withCustomGradient<LayerNormInputs>(
    tf,
    {
      forward(inputs, save) {
        const { y, statistics } = normaliseRows(tf, inputs, epsilon, "float32");
        save([...inputs, ...statistics]);
        return y;
      },
      backward(dy, [rows, gain, offset, mean, rstd]) {
        const { gradients } = normaliseRowsGrad(tf, dy, [rows!, gain!, offset!], [mean!, rstd!]);
        return [...gradients];
      },
    },
    ...[x.reshape([-1, x.shape.at(-1)!]), weight, bias],
  );
  return y.reshape(x.shape);
}

/** LayerNorm of float32 rows. @param precision of the result */
export function normaliseRows(
  tf: TensorFlow,
  inputs: LayerNormInputs,
  epsilon: number,
  precision: Precision,
): { readonly y: Tensor; readonly statistics: LayerNormStatistics } {
  if (usesFusedKernels(tf, "layerNorm")) {
    const [y, mean, rstd] = rawOp(tf, "DuchenneLayerNorm", inputs, { T: precision, epsilon }, 3);
    return { y, statistics: [mean, rstd] };
  }
  const [rows, gain, offset] = inputs;
  const mean = rows.mean(-1, true);
  const centred = rows.sub(mean);
  const rstd = centred.square().mean(-1, true).add(epsilon).rsqrt();
  return { y: castTo(tf, centred.mul(rstd).mul(gain).add(offset), precision), statistics: [mean, rstd] };
}

/**
 * The gradients, float32, and the value again, so that it need not be kept since the forward pass.
 *
 * @param dy [R, D], of the precision of the value
 * @param carry [R, D], what reaches the rows past the LayerNorm: it is added to their gradient
 */
export function normaliseRowsGrad(
  tf: TensorFlow,
  dy: Tensor,
  [rows, gain, offset]: LayerNormInputs,
  [mean, rstd]: LayerNormStatistics,
  { carry, precision = "float32" }: { readonly carry?: Tensor; readonly precision?: Precision } = {},
): { readonly gradients: LayerNormInputs; readonly y: Tensor } {
  if (usesFusedKernels(tf, "layerNorm")) {
    const inputs = [dy, rows, gain, offset, mean, rstd, carry ?? tf.zeros([0])];
    const [dRows, dGain, dOffset, y] = rawOp(tf, "DuchenneLayerNormGrad", inputs, { T: precision }, 4);
    return { gradients: [dRows, dGain, dOffset], y };
  }
  const wide = castTo(tf, dy, "float32");
  const standard = rows.sub(mean).mul(rstd);
  const scaled = wide.mul(gain);
  const along = standard.mul(scaled.mul(standard).mean(-1, true));
  const dRows = scaled.sub(scaled.mean(-1, true)).sub(along).mul(rstd);
  const columnSums = (x: Tensor) => rawOp(tf, "BiasAddGrad", [x])[0];
  return {
    gradients: [carry === undefined ? dRows : dRows.add(carry), columnSums(wide.mul(standard)), columnSums(wide)],
    y: castTo(tf, standard.mul(gain).add(offset), precision),
  };
}
