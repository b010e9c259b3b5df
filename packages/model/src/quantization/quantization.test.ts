import { createRandom } from "@duchenne/data";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import {
  type ChannelMaxima,
  createModelConfig,
  exportOnnx,
  initialiseParameters,
  inputCosts,
  linearLayers,
  type ParameterSet,
  RANGE_METHODS,
  smoothParameters,
  tapOf,
  ValueHistogram,
} from "../index.ts";
import { ACTIVATION_STEPS, type ActivationRange, activationScale, quantizeWeight } from "./quantize-values.ts";

const normals = (count: number, seed: string): Float32Array => {
  const random = createRandom([seed]);
  return Float32Array.from({ length: count }, () => random.normal());
};

describe("a weight in int8", () => {
  it("is off by half a step of its own output at most, transposed for MatMul", () => {
    const [outputs, inputs] = [3, 50];
    const weight = normals(outputs * inputs, "weight").map((value, i) => value * 10 ** -Math.floor(i / inputs));
    const { values, scales } = quantizeWeight(weight, outputs, inputs);
    for (let output = 0; output < outputs; output++) {
      const row = weight.subarray(output * inputs, (output + 1) * inputs);
      const largest = Math.max(...row.map(Math.abs));
      expect(scales[output]).toBeCloseTo(largest / 127, 6);
      for (const [input, value] of row.entries()) {
        const error = Math.abs(values[input * outputs + output]! * scales[output]! - value);
        expect(error).toBeLessThanOrEqual(0.5001 * scales[output]!);
      }
    }
    expect(Math.max(...values)).toBeLessThanOrEqual(127);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-127);
  });

  it("of zeros stays zero", () => {
    expect(quantizeWeight(new Float32Array(4), 2, 2)).toEqual({
      values: new Int8Array(4),
      scales: Float32Array.of(1, 1),
    });
  });
});

describe("an input's scale", () => {
  it.each([
    { min: -1, max: 3 },
    { min: 0.5, max: 2 },
    { min: -4, max: -1 },
    { min: -0.1699, max: 8.3 },
  ])("of $min to $max holds 0 exactly and both ends", ({ min, max }) => {
    const { scale, zeroPoint } = activationScale({ min, max });
    expect(Number.isInteger(zeroPoint)).toBe(true);
    for (const value of [min, 0, max]) {
      const integer = Math.round(value / scale) + zeroPoint;
      expect(integer).toBeGreaterThanOrEqual(-1);
      expect(integer).toBeLessThanOrEqual(ACTIVATION_STEPS + 1);
    }
  });

  it("of nothing but zeros is 1", () => {
    expect(activationScale({ min: 0, max: 0 })).toEqual({ scale: 1, zeroPoint: 0 });
  });
});

describe("what an input costs", () => {
  it("is the squared norm of the weights that read it, in whole numbers with a mean of 1024", () => {
    expect([...inputCosts(Float32Array.of(3, 0, 4, 1), 2)]).toEqual([
      Math.round((2048 * 25) / 26),
      Math.round(2048 / 26),
    ]);
    expect([...inputCosts(new Float32Array(4), 2)]).toEqual([1, 1]);
  });
});

describe("a histogram", () => {
  const values = normals(20_000, "values").map((value, i) => (i === 777 ? 40 : value));
  const histogramOf = (...parts: Float32Array[]) => {
    const histogram = new ValueHistogram();
    for (const part of parts) histogram.add(part);
    return histogram;
  };
  /** The mean squared error of rounding to 256 values within a range. */
  const errorOf = (range: ActivationRange, of = values) => {
    const { scale, zeroPoint } = activationScale(range);
    const squares = of.map((value) => {
      const integer = Math.min(Math.max(Math.round(value / scale) + zeroPoint, 0), ACTIVATION_STEPS);
      return (scale * (integer - zeroPoint) - value) ** 2;
    });
    return squares.reduce((sum, each) => sum + each, 0) / of.length;
  };

  it.each(RANGE_METHODS)("answers the same range (%s) whatever the order and the parts", (method) => {
    const reversed = values.toReversed();
    const parts = [reversed.subarray(0, 3), new Float32Array(5), reversed.subarray(3, 9000), reversed.subarray(9000)];
    const whole = histogramOf(values, new Float32Array(5));
    expect(histogramOf(...parts).range(method)).toEqual(whole.range(method));
  });

  it("keeps all of it, all but the outermost, or what costs least", () => {
    const histogram = histogramOf(values);
    const [all, most, best] = RANGE_METHODS.map((method) => histogram.range(method)) as [
      ActivationRange,
      ActivationRange,
      ActivationRange,
    ];
    expect(all).toEqual({ min: Math.min(...values), max: 40 });
    // A hundred thousandth of 20,000 is less than one value.
    expect(most.max).toBeGreaterThan(39);
    const among = histogramOf(values, normals(400_000, "more")).range("percentile");
    expect(among.max).toBeLessThan(39);
    expect(among.max).toBeGreaterThan(3);
    expect(errorOf(best)).toBeLessThanOrEqual(1.01 * errorOf(all));
  });

  it("finds the range with the least squared error", () => {
    const tailed = normals(20_000, "tailed").map((value) => value ** 3);
    const best = histogramOf(tailed).range("least_squares");
    const error = errorOf(best, tailed);
    expect(error).toBeLessThan(errorOf(histogramOf(tailed).range("min_max"), tailed));
    expect(error).toBeLessThan(errorOf(histogramOf(tailed).range("percentile"), tailed));
    for (let max = 0; max <= 100; max += 4) {
      for (let min = -100; min <= 0; min += 4) expect(errorOf({ min, max }, tailed)).toBeGreaterThan(0.97 * error);
    }
  });

  it("cuts off no values that much depends on, for the sake of others", () => {
    // Two inputs in turn: the second is now and then far larger, and in one of the layers its weights are ten times larger.
    const inputs = normals(40_000, "inputs").map((value, i) => (i % 80 === 1 ? 6 * value : value));
    const rangeWith = (factor: number) => {
      const weight = normals(2 * 16, "layer").map((value, i) => (i % 2 === 1 ? factor * value : value));
      const histogram = new ValueHistogram();
      histogram.add(inputs, inputCosts(weight, 2));
      const range = histogram.range("least_squares");
      return { range, weight };
    };
    /** The mean squared error of the layer's outputs. */
    const outputError = (range: ActivationRange, weight: Float32Array) => {
      const { scale, zeroPoint } = activationScale(range);
      const errors = inputs.map((value) => {
        const integer = Math.min(Math.max(Math.round(value / scale) + zeroPoint, 0), ACTIVATION_STEPS);
        return scale * (integer - zeroPoint) - value;
      });
      let sum = 0;
      for (let row = 0; row < errors.length; row += 2) {
        for (let output = 0; output < weight.length; output += 2) {
          sum += (errors[row]! * weight[output]! + errors[row + 1]! * weight[output + 1]!) ** 2;
        }
      }
      return sum / (errors.length * weight.length);
    };
    const [even, uneven] = [rangeWith(1), rangeWith(10)];
    expect(uneven.range.max).toBeGreaterThan(even.range.max);
    expect(outputError(uneven.range, uneven.weight)).toBeLessThan(outputError(even.range, uneven.weight));
    expect(outputError(even.range, even.weight)).toBeLessThan(outputError(uneven.range, even.weight));
  });

  it("is of finite values, and not of none", () => {
    expect(() => histogramOf(Float32Array.of(1, Number.NaN))).toThrow("Expected finite values, got NaN");
    expect(() => histogramOf(Float32Array.of(Number.NEGATIVE_INFINITY))).toThrow("got -Infinity");
    expect(() => histogramOf().range("min_max")).toThrow("saw none");
    expect(histogramOf(new Float32Array(9)).range("least_squares")).toEqual({ min: 0, max: 0 });
  });
});

describe("smoothing", () => {
  const config = createModelConfig("micro", { actionUnits: [1, 12], numSubjects: 0, dropPath: 0, imageSize: 32 });
  const [count, side] = [3, config.imageSize];
  const images = normals(count * 3 * side * side, "images");

  /** A model some of whose channels are far larger than others, as those of trained transformers are. */
  const uneven = initialiseParameters(config, 4);
  for (const [name, { data }] of uneven) {
    if (!/norm[12]\.(weight|bias)$|qkv\.(weight|bias)$/.test(name)) continue;
    const stretch = createRandom(["stretch", name]);
    const width = name.endsWith("qkv.weight") ? config.dim : 1;
    for (let row = 0; row < data.length / width; row++) {
      const factor = Math.exp(1.5 * stretch.normal());
      for (let i = 0; i < width; i++) data[row * width + i]! *= factor;
    }
  }

  async function run(parameters: ParameterSet) {
    const session = await InferenceSession.create(exportOnnx(config, parameters, { taps: true }));
    const outputs = await session.run({ image: new Tensor("float32", images, [count, 3, side, side]) });
    const maxima: ChannelMaxima = new Map(
      linearLayers(config).map(({ name, inputs }) => {
        const largest = new Float32Array(inputs);
        const values = outputs[tapOf(name)]!.data as Float32Array;
        for (const [i, value] of values.entries()) {
          largest[i % inputs] = Math.max(largest[i % inputs]!, Math.abs(value));
        }
        return [name, largest];
      }),
    );
    await session.release();
    return { logits: outputs.logits!.data as Float32Array, features: outputs.features!.data as Float32Array, maxima };
  }

  it("changes no bit of what a float model answers, and evens out what its layers take in", async () => {
    const before = await run(uneven);
    const after = await run(smoothParameters(config, uneven, before.maxima));
    expect(after.logits).toEqual(before.logits);
    expect(after.features).toEqual(before.features);
    /** How much smaller the middle channel is than the largest. */
    const spread = (channels: Float32Array) => Math.max(...channels) / channels.toSorted()[channels.length / 2]!;
    for (const { name } of linearLayers(config)) {
      const [was, is] = [spread(before.maxima.get(name)!), spread(after.maxima.get(name)!)];
      if (name.endsWith("fc2")) expect(is).toBe(was);
      else expect(is, name).toBeLessThan(was);
    }
  });
});
