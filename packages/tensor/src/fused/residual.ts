import type { Tensor } from "@tensorflow/tfjs";
import { rawOp } from "../raw-op.ts";
import type { TensorFlow } from "../tensorflow.ts";
import type { Precision } from "./autocast.ts";
import { castTo } from "./cast-to.ts";
import { usesFusedKernels } from "./kernel-library.ts";

/** rows + scale * (branch + bias). @param rows [R, D] @param branch [R, D], of the precision @param scale [B], B divides R */
export function addBranch(
  tf: TensorFlow,
  rows: Tensor,
  branch: Tensor,
  bias: Tensor,
  scale: Tensor | undefined,
  precision: Precision,
): Tensor {
  if (usesFusedKernels(tf, "residual")) {
    return rawOp(tf, "DuchenneResidual", [rows, branch, bias, scale ?? tf.zeros([0])], { T: precision })[0];
  }
  const wide = castTo(tf, branch, "float32").add(bias);
  return rows.add(scale === undefined ? wide : scaled(wide, scale));
}

/** The gradients for branch, of the precision, and bias, float32; that for the rows is dy. */
export function addBranchGrad(
  tf: TensorFlow,
  dy: Tensor,
  scale: Tensor | undefined,
  precision: Precision,
): { readonly dBranch: Tensor; readonly dBias: Tensor } {
  if (usesFusedKernels(tf, "residual")) {
    const [dBranch, dBias] = rawOp(tf, "DuchenneResidualGrad", [dy, scale ?? tf.zeros([0])], { T: precision }, 2);
    return { dBranch, dBias };
  }
  const dBranch = scale === undefined ? dy : scaled(dy, scale);
  return { dBranch: castTo(tf, dBranch, precision), dBias: rawOp(tf, "BiasAddGrad", [dBranch])[0] };
}

function scaled(rows: Tensor, scale: Tensor): Tensor {
  const [count, dim] = rows.shape as [number, number];
  const batch = scale.size;
  return rows
    .reshape([batch, count / batch, dim])
    .mul(scale.reshape([batch, 1, 1]))
    .reshape([count, dim]);
}
