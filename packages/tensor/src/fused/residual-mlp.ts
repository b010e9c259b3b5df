import type { Tensor } from "@tensorflow/tfjs";
import { withCustomGradient } from "../custom-gradient.ts";
import type { TensorFlow } from "../tensorflow.ts";
import { currentPrecision } from "./autocast.ts";
import { biasGelu, biasGeluGrad } from "./gelu.ts";
import { normaliseRows, normaliseRowsGrad } from "./layer-norm.ts";
import { productsIn } from "./product.ts";
import { addBranch, addBranchGrad } from "./residual.ts";
import type { Affine, ResidualOptions } from "./residual-attention.ts";

/**
 * The MLP half of a pre-norm block: x + scale * fc2(gelu(fc1(norm(x)))), made as `residualAttention` is.
 *
 * @param x [B, T, D]
 */
export function residualMlp(
  tf: TensorFlow,
  x: Tensor,
  layers: { readonly norm: Affine; readonly fc1: Affine; readonly fc2: Affine },
  { epsilon, scale }: ResidualOptions,
): Tensor {
  const { norm, fc1, fc2 } = layers;
  const precision = currentPrecision();
  const products = productsIn(tf, precision);
  const y = withCustomGradient<readonly Tensor[]>(
    tf,
    {
      forward(inputs, save) {
        const [rows, gain, offset, weight1, bias1, weight2, bias2] = inputs as SevenTensors;
        const { y: h, statistics } = normaliseRows(tf, [rows, gain, offset], epsilon, precision);
        const [w1, w2] = [products.lower(weight1), products.lower(weight2)];
        const u = products.forward(h, w1);
        save([rows, gain, offset, ...statistics, w1, bias1, u, w2, ...(scale === undefined ? [] : [scale])]);
        const a = biasGelu(tf, u, bias1, precision);
        return addBranch(tf, rows, products.forward(a, w2), bias2, scale, precision);
      },
      backward(dy, saved) {
        const [rows, gain, offset, mean, rstd, w1, bias1, u, w2, ...rest] = saved as Saved;
        const { dBranch, dBias } = addBranchGrad(tf, dy, rest[0], precision);
        const { dU, dBias: dBias1, y: a } = biasGeluGrad(tf, products.toInput(dBranch, w2), u, bias1, precision);
        const dh = products.toInput(dU, w1);
        const { gradients, y: h } = normaliseRowsGrad(tf, dh, [rows, gain, offset], [mean, rstd], {
          carry: dy,
          precision,
        });
        return [...gradients, products.toWeight(dU, h), dBias1, products.toWeight(dBranch, a), dBias];
      },
    },
    ...[x.reshape([-1, x.shape.at(-1)!]), norm.weight, norm.bias, fc1.weight, fc1.bias, fc2.weight, fc2.bias],
  );
  return y.reshape(x.shape);
}

type SevenTensors = [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
type Saved = [...SevenTensors, Tensor, Tensor, ...Tensor[]];
