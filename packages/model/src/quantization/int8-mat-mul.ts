import type { GraphBuilder } from "@duchenne/onnx";
import { type ActivationRange, activationScale, quantizeWeight } from "./quantize-values.ts";

/** A linear layer to compute in int8. */
export interface Int8MatMul {
  readonly name: string;
  /** [outputs, inputs] */
  readonly weight: Float32Array;
  readonly inputs: number;
  readonly outputs: number;
  /** Of what goes in. */
  readonly range: ActivationRange;
}

/**
 * Adds x times a layer's weight, without its bias, in the QDQ form: inputs and weight are quantised and dequantised around a
 * float product, which ONNX Runtime turns into one kernel (MatMulIntegerToFloat) and every other runtime can compute as it
 * stands. Inputs are unsigned with a zero point, weights signed: the pair that VNNI and AMX multiply.
 *
 * @returns the product, [..., outputs], in float
 */
export function addInt8MatMul(
  graph: GraphBuilder,
  x: string,
  { name, weight, inputs, outputs, range }: Int8MatMul,
): string {
  const { scale, zeroPoint } = activationScale(range);
  const activation = [
    graph.constant(`${name}.input.scale`, [], Float32Array.of(scale)),
    graph.constant(`${name}.input.zero_point`, [], Uint8Array.of(zeroPoint)),
  ];
  const quantized = graph.node("QuantizeLinear", [x, ...activation]);
  const { values, scales } = quantizeWeight(weight, outputs, inputs);
  const integers = graph.constant(`${name}.weight.T.int8`, [inputs, outputs], values);
  const perOutput = [
    graph.constant(`${name}.weight.scale`, [outputs], scales),
    graph.constant(`${name}.weight.zero_point`, [outputs], new Int8Array(outputs)),
  ];
  return graph.node("MatMul", [
    graph.node("DequantizeLinear", [quantized, ...activation]),
    graph.node("DequantizeLinear", [integers, ...perOutput], { axis: 1 }),
  ]);
}
