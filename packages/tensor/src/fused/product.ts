import type { Tensor } from "@tensorflow/tfjs";
import { rawOp } from "../raw-op.ts";
import type { TensorFlow } from "../tensorflow.ts";
import type { Precision } from "./autocast.ts";

/** Matrix products with a Linear's weight [O, I] and their gradients, in one precision. */
export interface Products {
  readonly precision: Precision;
  /** To the precision of the products. */
  lower(x: Tensor): Tensor;
  /** x W^T. @param x [R, I], lowered @param weight [O, I], lowered */
  forward(x: Tensor, weight: Tensor): Tensor;
  /** The gradient for x: dy W. */
  toInput(dy: Tensor, weight: Tensor): Tensor;
  /** The gradient for W, dy^T x, in float32. */
  toWeight(dy: Tensor, x: Tensor): Tensor;
}

/** Products in a precision. bfloat16 products add up in float32 and are rounded once. */
export function productsIn(tf: TensorFlow, precision: Precision): Products {
  const one = (name: string, inputs: readonly Tensor[], attributes: Record<string, boolean | string>): Tensor =>
    rawOp(tf, name, inputs, attributes)[0];
  const multiply = (a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean) =>
    one("MatMul", [a, b], { T: precision, transpose_a: transposeA, transpose_b: transposeB });
  const cast = (x: Tensor, from: Precision, to: Precision) =>
    from === to ? x : one("Cast", [x], { SrcT: from, DstT: to });
  return {
    precision,
    lower: (x) => cast(x, "float32", precision),
    forward: (x, weight) => multiply(x, weight, false, true),
    toInput: (dy, weight) => multiply(dy, weight, false, false),
    toWeight: (dy, x) => cast(multiply(dy, x, true, false), precision, "float32"),
  };
}
