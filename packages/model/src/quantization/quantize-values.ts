/** The values that a layer's inputs take, as far as int8 is to tell them apart; what lies outside is cut off. */
export interface ActivationRange {
  readonly min: number;
  readonly max: number;
}

/** value = scale * (integer - zeroPoint), integers from 0 to 255. */
export interface ActivationScale {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Steps between the ends of an activation's range. */
export const ACTIVATION_STEPS = 255;
/** The largest integer of a weight: -128 is left out, so that a weight and its negative are as exact. */
const LARGEST_WEIGHT = 127;

/** The scale of a range that is widened to hold 0, which must be exact. A range without width has scale 1. */
export function activationScale({ min, max }: ActivationRange): ActivationScale {
  const [low, high] = [Math.min(min, 0), Math.max(max, 0)];
  const scale = Math.fround((high - low) / ACTIVATION_STEPS) || 1;
  return { scale, zeroPoint: Math.min(Math.round((0 - low) / scale), ACTIVATION_STEPS) };
}

/** A weight in int8: value = scale of the output * integer. */
export interface QuantizedWeight {
  /** [inputs, outputs], as MatMul reads it. */
  readonly values: Int8Array;
  /** [outputs] */
  readonly scales: Float32Array;
}

/**
 * Rounds a weight to int8 with a scale for each output, the largest magnitude of its row by 127: rows of a transformer
 * differ in size by more than an order. An output of zeros has scale 1.
 *
 * @param weight [outputs, inputs]
 */
export function quantizeWeight(weight: Float32Array, outputs: number, inputs: number): QuantizedWeight {
  const values = new Int8Array(weight.length);
  const scales = new Float32Array(outputs);
  for (let output = 0; output < outputs; output++) {
    const row = weight.subarray(output * inputs, (output + 1) * inputs);
    let largest = 0;
    for (const value of row) largest = Math.max(largest, Math.abs(value));
    scales[output] = Math.fround(largest / LARGEST_WEIGHT) || 1;
    const scale = scales[output]!;
    for (let input = 0; input < inputs; input++) {
      const rounded = Math.round(row[input]! / scale);
      values[input * outputs + output] = Math.min(Math.max(rounded, -LARGEST_WEIGHT), LARGEST_WEIGHT);
    }
  }
  return { values, scales };
}
