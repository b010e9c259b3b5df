import type { Tensor } from "@tensorflow/tfjs";
import { withCustomGradient } from "./custom-gradient.ts";
import { type Seed, statelessUniform } from "./random.ts";
import type { TensorFlow } from "./tensorflow.ts";

/**
 * Layer normalisation over the last axis (Ba et al. 2016), with its gradient in one go.
 *
 * @param x [..., D]
 * @param weight [D]
 * @param bias [D]
 */
export function layerNorm(tf: TensorFlow, x: Tensor, weight: Tensor, bias: Tensor, epsilon: number): Tensor {
  return withCustomGradient<[Tensor, Tensor, Tensor]>(
    tf,
    {
      forward([input, gain, offset], save) {
        const centred = input.sub(input.mean(-1, true));
        const inverse = centred.square().mean(-1, true).add(epsilon).rsqrt();
        const standard = centred.mul(inverse);
        save([standard, inverse, gain]);
        return standard.mul(gain).add(offset);
      },
      backward(dy, saved) {
        const [xHat, invStd, gamma] = saved as [Tensor, Tensor, Tensor];
        const scaled = dy.mul(gamma);
        const mean = scaled.mean(-1, true);
        const along = xHat.mul(scaled.mul(xHat).mean(-1, true));
        const leading = Array.from({ length: dy.rank - 1 }, (_, axis) => axis);
        return [scaled.sub(mean).sub(along).mul(invStd), dy.mul(xHat).sum(leading), dy.sum(leading)];
      },
    },
    x,
    weight,
    bias,
  );
}

/** Exact GELU: x Phi(x) (Hendrycks and Gimpel 2016). */
export function gelu(tf: TensorFlow, x: Tensor): Tensor {
  return withCustomGradient<[Tensor]>(
    tf,
    {
      forward([input], save) {
        const cdf = input.mul(Math.SQRT1_2).erf().add(1).mul(0.5);
        save([input, cdf]);
        return input.mul(cdf);
      },
      backward(dy, saved) {
        const [z, phi] = saved as [Tensor, Tensor];
        const density = z
          .square()
          .mul(-0.5)
          .exp()
          .mul(1 / Math.sqrt(2 * Math.PI));
        return dy.mul(phi.add(z.mul(density)));
      },
    },
    x,
  );
}

/**
 * Gradient reversal (Ganin and Lempitsky 2015): the identity forward, -lambda times the gradient backward.
 *
 * @param lambda constant; 0 stops the gradient
 */
export function gradientReversal(tf: TensorFlow, x: Tensor, lambda: number): Tensor {
  const operation = {
    forward: ([input]: readonly [Tensor]) => input.clone(),
    backward: (dy: Tensor) => dy.mul(-lambda),
  };
  return withCustomGradient<readonly [Tensor]>(tf, operation, x);
}

/**
 * Stochastic depth (Huang et al. 2016): drops whole samples and scales the survivors by 1 / (1 - rate).
 *
 * @param x [B, ...]
 * @param rate 0..1 (exclusive)
 * @param seed fixes which samples are dropped; as a tensor it may be an input of a compiled step
 * @param site tells apart the places of a step that share a seed
 */
export function dropPath(tf: TensorFlow, x: Tensor, rate: number, seed: Seed, site = 0): Tensor {
  if (rate === 0) return x;
  const shape = x.shape.map((size, axis) => (axis === 0 ? size : 1));
  const keep = statelessUniform(tf, shape, seed, site).greaterEqual(rate).cast("float32");
  return x.mul(keep.div(1 - rate));
}
