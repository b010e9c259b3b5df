import type { Tensor } from "@tensorflow/tfjs";
import { rawOp } from "./raw-op.ts";
import type { TensorFlow } from "./tensorflow.ts";

/**
 * What random numbers are a function of: a number, or a tensor [2] of int32, which can be an input of a compiled step and so
 * change without a new recording.
 */
export type Seed = number | Tensor;

/** Philox 4x32 (Salmon et al. 2011): the same bits on every device. */
const PHILOX = 1;

/** Added to a seed's upper half for each site: 2^32 over the golden ratio, so that no number as seed meets another's site. */
const SITE_STRIDE = 0x9e3779b9;

/**
 * Uniform numbers of 0 (inclusive) to 1 (exclusive): the same for the same seed and site, run eagerly or recorded.
 *
 * @param site tells apart the places of a step that draw with one seed
 * @throws {RangeError} for a seed that is neither a whole number of up to 53 bits nor a tensor [2] of int32
 */
export function statelessUniform(tf: TensorFlow, shape: readonly number[], seed: Seed, site = 0): Tensor {
  return tf.tidy(() => {
    const words = seedTensor(tf, seed).add(tf.tensor1d([0, Math.imul(site, SITE_STRIDE)], "int32"));
    const [key, counter] = rawOp(tf, "StatelessRandomGetKeyCounter", [words], {}, 2);
    const sizes = tf.tensor1d([...shape], "int32");
    const algorithm = tf.scalar(PHILOX, "int32");
    const inputs = [sizes, key, counter, algorithm];
    return rawOp(tf, "StatelessRandomUniformV2", inputs, { dtype: "float32" })[0];
  });
}

/** A seed as a tensor [2] of int32: a number's lower and upper half. */
export function seedTensor(tf: TensorFlow, seed: Seed): Tensor {
  if (typeof seed !== "number") {
    if (seed.dtype === "int32" && seed.rank === 1 && seed.size === 2) return seed;
    throw new RangeError(`Expected a seed of int32 [2], got ${seed.dtype} [${seed.shape}]`);
  }
  if (!Number.isSafeInteger(seed)) throw new RangeError(`Expected a whole number as seed, got ${seed}`);
  return tf.tensor1d(Int32Array.of(seed % 2 ** 32, Math.floor(seed / 2 ** 32)), "int32");
}
