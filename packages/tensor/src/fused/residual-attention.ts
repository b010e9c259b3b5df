import type { Tensor } from "@tensorflow/tfjs";
import { withCustomGradient } from "../custom-gradient.ts";
import { rawOp } from "../raw-op.ts";
import type { TensorFlow } from "../tensorflow.ts";
import { type AttentionParts, attendRows, attendRowsGrad } from "./attention.ts";
import { currentPrecision } from "./autocast.ts";
import { castTo } from "./cast-to.ts";
import { normaliseRows, normaliseRowsGrad } from "./layer-norm.ts";
import { productsIn } from "./product.ts";
import { addBranch, addBranchGrad } from "./residual.ts";

/** A layer's weight and bias. */
export interface Affine {
  readonly weight: Tensor;
  readonly bias: Tensor;
}

/** What both halves of a block are told. */
export interface ResidualOptions {
  /** LayerNorm's. */
  readonly epsilon: number;
  /** [B]: what each sample's branch is multiplied by; stochastic depth drops with 0. Left out: 1. */
  readonly scale?: Tensor | undefined;
}

/**
 * The attention half of a pre-norm block: x + scale * proj(attention(qkv(norm(x)))), with its gradient in one go. What
 * passes between the products is in the precision of `autocast`. What LayerNorm (and, in the other half, GELU) answered is
 * not kept for the gradient but computed again there, along the way: activations take two thirds of the memory.
 *
 * @param x [B, T, D]
 * @param heads K
 */
export function residualAttention(
  tf: TensorFlow,
  x: Tensor,
  layers: { readonly norm: Affine; readonly qkv: Affine; readonly proj: Affine },
  heads: number,
  { epsilon, scale }: ResidualOptions,
): Tensor {
  const { norm, qkv, proj } = layers;
  const [batch, , dim] = x.shape as [number, number, number];
  const precision = currentPrecision();
  const products = productsIn(tf, precision);
  const shape = { batch, heads };
  const y = withCustomGradient<readonly Tensor[]>(
    tf,
    {
      forward(inputs, save) {
        const [rows, gain, offset, qkvWeight, qkvBias, projWeight, projBias] = inputs as SevenTensors;
        const { y: h, statistics } = normaliseRows(tf, [rows, gain, offset], epsilon, precision);
        const [wQkv, wProj] = [products.lower(qkvWeight), products.lower(projWeight)];
        const u = rawOp(tf, "BiasAdd", [castTo(tf, products.forward(h, wQkv), "float32"), qkvBias])[0];
        const { mixed: wide, parts } = attendRows(tf, u, shape);
        const mixed = products.lower(wide);
        save([
          rows,
          gain,
          offset,
          ...statistics,
          wQkv,
          wProj,
          mixed,
          ...(scale === undefined ? [] : [scale]),
          ...parts,
        ]);
        return addBranch(tf, rows, products.forward(mixed, wProj), projBias, scale, precision);
      },
      backward(dy, saved) {
        const [rows, gain, offset, mean, rstd, wQkv, wProj, mixed, ...rest] = saved as Saved;
        const kept = scale === undefined ? undefined : rest[0];
        const parts = rest.slice(kept === undefined ? 0 : 1) as readonly Tensor[] as AttentionParts;
        const { dBranch, dBias } = addBranchGrad(tf, dy, kept, precision);
        const dMixed = castTo(tf, products.toInput(dBranch, wProj), "float32");
        const wide = attendRowsGrad(tf, dMixed, parts);
        const dQkvBias = rawOp(tf, "BiasAddGrad", [wide])[0];
        const dU = products.lower(wide);
        const dh = products.toInput(dU, wQkv);
        const { gradients, y: h } = normaliseRowsGrad(tf, dh, [rows, gain, offset], [mean, rstd], {
          carry: dy,
          precision,
        });
        return [...gradients, products.toWeight(dU, h), dQkvBias, products.toWeight(dBranch, mixed), dBias];
      },
    },
    ...[x.reshape([-1, dim]), norm.weight, norm.bias, qkv.weight, qkv.bias, proj.weight, proj.bias],
  );
  return y.reshape(x.shape);
}

type SevenTensors = [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
type Saved = [...SevenTensors, Tensor, ...Tensor[]];
