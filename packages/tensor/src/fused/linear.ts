import type { Tensor } from "@tensorflow/tfjs";
import { withCustomGradient } from "../custom-gradient.ts";
import { rawOp } from "../raw-op.ts";
import type { TensorFlow } from "../tensorflow.ts";
import { currentPrecision } from "./autocast.ts";
import { productsIn } from "./product.ts";

/**
 * x W^T + b, as PyTorch's Linear, in the precision of `autocast`. Its gradient keeps to two products and one sum over
 * rows; tf.matMul's has the wrong rank for x of rank 3, and tf.add's sums the bias by a slow reduction.
 *
 * @param x [..., I]
 * @param weight [O, I]
 * @param bias [O]
 * @returns [..., O]
 */
export function linear(tf: TensorFlow, x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const [outputs, inputs] = weight.shape as [number, number];
  const products = productsIn(tf, currentPrecision());
  const rows = x.reshape([-1, inputs]);
  const raise = (y: Tensor) =>
    products.precision === "float32" ? y : rawOp(tf, "Cast", [y], { SrcT: products.precision, DstT: "float32" })[0];
  const y = withCustomGradient<readonly Tensor[]>(
    tf,
    {
      forward([input, w, b], save) {
        const [loweredInput, loweredWeight] = [products.lower(input!), products.lower(w!)];
        save([loweredInput, loweredWeight]);
        const product = raise(products.forward(loweredInput, loweredWeight));
        return b === undefined ? product : rawOp(tf, "BiasAdd", [product, b], { T: "float32" })[0];
      },
      backward(dy, [input, w]) {
        const lowered = products.lower(dy);
        const gradients = [raise(products.toInput(lowered, w!)), products.toWeight(lowered, input!)];
        return bias === undefined ? gradients : [...gradients, rawOp(tf, "BiasAddGrad", [dy], { T: "float32" })[0]];
      },
    },
    ...(bias === undefined ? [rows, weight] : [rows, weight, bias]),
  );
  return y.reshape([...x.shape.slice(0, -1), outputs]);
}
