import type { Tensor } from "@tensorflow/tfjs";
import { withCustomGradient } from "../custom-gradient.ts";
import { rawOp } from "../raw-op.ts";
import type { TensorFlow } from "../tensorflow.ts";
import type { Precision } from "./autocast.ts";
import { castTo } from "./cast-to.ts";
import { usesFusedKernels } from "./kernel-library.ts";

/** Exact GELU: x Phi(x) (Hendrycks and Gimpel 2016). */
export function gelu(tf: TensorFlow, x: Tensor): Tensor {
  const y = withCustomGradient<[Tensor]>(
    tf,
    {
      forward([u], save) {
        save([u]);
        return biasGelu(tf, u, undefined, "float32");
      },
      backward: (dy, [u]) => biasGeluGrad(tf, dy, u!, undefined, "float32").dU,
    },
    x.reshape([-1, x.shape.at(-1) ?? 1]),
  );
  return y.reshape(x.shape);
}

/** gelu(u + bias). @param u [R, H], of the precision @param bias [H] */
export function biasGelu(tf: TensorFlow, u: Tensor, bias: Tensor | undefined, precision: Precision): Tensor {
  if (usesFusedKernels(tf, "gelu")) {
    return rawOp(tf, "DuchenneBiasGelu", [u, bias ?? tf.zeros([0])], { T: precision })[0];
  }
  const x = biased(tf, u, bias);
  return castTo(tf, x.mul(cumulative(x)), precision);
}

/**
 * The gradients for u, of the precision, and for the bias, float32, and the value again, so that it need not be kept since
 * the forward pass.
 */
export function biasGeluGrad(
  tf: TensorFlow,
  dy: Tensor,
  u: Tensor,
  bias: Tensor | undefined,
  precision: Precision,
): { readonly dU: Tensor; readonly dBias: Tensor; readonly y: Tensor } {
  if (usesFusedKernels(tf, "gelu")) {
    const inputs = [dy, u, bias ?? tf.zeros([0])];
    const [dU, dBias, y] = rawOp(tf, "DuchenneBiasGeluGrad", inputs, { T: precision }, 3);
    return { dU, dBias, y };
  }
  const x = biased(tf, u, bias);
  const phi = cumulative(x);
  const density = x
    .square()
    .mul(-0.5)
    .exp()
    .mul(1 / Math.sqrt(2 * Math.PI));
  const dU = castTo(tf, dy, "float32").mul(phi.add(x.mul(density)));
  const dBias = rawOp(tf, "BiasAddGrad", [dU])[0];
  return { dU: castTo(tf, dU, precision), dBias, y: castTo(tf, x.mul(phi), precision) };
}

function biased(tf: TensorFlow, u: Tensor, bias: Tensor | undefined): Tensor {
  const wide = castTo(tf, u, "float32");
  return bias === undefined ? wide : wide.add(bias);
}

/** Phi, the normal distribution's. */
function cumulative(x: Tensor): Tensor {
  return x.mul(Math.SQRT1_2).erf().add(1).mul(0.5);
}
