import type { VitConfig } from "../config.ts";
import type { Parameter, ParameterSet } from "../parameters.ts";

/** The largest magnitude of each input of a linear layer, by the layer's name; "proj" and what follows LayerNorm. */
export type ChannelMaxima = ReadonlyMap<string, Float32Array>;

/**
 * Moves the spread between a layer's inputs into its weight, which has a scale for each output and bears it better than
 * the inputs, which share one (SmoothQuant, Xiao et al. 2023, with alpha 0.5). An input is divided by
 * sqrt(its maximum / its weights' maximum), and its weights multiplied; the division is done where the input is made: in
 * LayerNorm, and for "proj" in the values of "qkv", which attention only mixes. What follows GELU stays as it is.
 *
 * Factors are powers of two, so that a float model answers the same bits as before.
 *
 * @returns new parameters; those that do not change are shared
 */
export function smoothParameters(
  { dim, depth }: Pick<VitConfig, "dim" | "depth">,
  parameters: ParameterSet,
  maxima: ChannelMaxima,
): Map<string, Parameter> {
  const smooth = new Map(parameters);
  const change = (name: string, apply: (data: Float32Array) => void): void => {
    const { shape, data } = smooth.get(name)!;
    const copy = data.slice();
    apply(copy);
    smooth.set(name, { shape, data: copy });
  };
  for (let block = 0; block < depth; block++) {
    const at = `blocks.${block}`;
    for (const [norm, layer] of [
      ["norm1", "attn.qkv"],
      ["norm2", "mlp.fc1"],
    ] as const) {
      const factors = factorsOf(`${at}.${layer}`, smooth, maxima);
      change(`${at}.${layer}.weight`, (weight) => multiplyInputs(weight, factors));
      for (const part of ["weight", "bias"]) change(`${at}.${norm}.${part}`, (data) => divide(data, factors, 1));
    }
    const factors = factorsOf(`${at}.attn.proj`, smooth, maxima);
    change(`${at}.attn.proj.weight`, (weight) => multiplyInputs(weight, factors));
    // Outputs of qkv are queries, keys, then values, each in the order of the heads, which is that of proj's inputs.
    change(`${at}.attn.qkv.weight`, (weight) => divide(weight.subarray(2 * dim * dim), factors, dim));
    change(`${at}.attn.qkv.bias`, (bias) => divide(bias.subarray(2 * dim), factors, 1));
  }
  return smooth;
}

function factorsOf(layer: string, parameters: ParameterSet, maxima: ChannelMaxima): Float32Array {
  const inputMaxima = maxima.get(layer)!;
  const weight = parameters.get(`${layer}.weight`)!.data;
  const inputs = inputMaxima.length;
  const weightMaxima = new Float32Array(inputs);
  for (let i = 0; i < weight.length; i++) {
    weightMaxima[i % inputs] = Math.max(weightMaxima[i % inputs]!, Math.abs(weight[i]!));
  }
  return inputMaxima.map((largest, input) => {
    const ratio = largest / weightMaxima[input]!;
    // An input that is always 0, or that nothing reads, needs no factor.
    return ratio > 0 && Number.isFinite(ratio) ? 2 ** Math.round(Math.log2(ratio) / 2) : 1;
  });
}

/** @param weight [outputs, inputs] */
function multiplyInputs(weight: Float32Array, factors: Float32Array): void {
  for (let i = 0; i < weight.length; i++) weight[i]! *= factors[i % factors.length]!;
}

/** @param data [factors, width] */
function divide(data: Float32Array, factors: Float32Array, width: number): void {
  for (let i = 0; i < data.length; i++) data[i]! /= factors[Math.floor(i / width)]!;
}
