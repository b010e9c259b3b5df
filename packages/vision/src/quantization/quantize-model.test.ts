import { createRandom } from "@duchenne/data";
import {
  createExpressionConfig,
  createModelConfig,
  exportOnnx,
  initialiseParameters,
  linearLayers,
  type Parameter,
  type VitConfig,
  type VitVariant,
} from "@duchenne/model";
import { describe, expect, it } from "vitest";
import { InaccurateQuantizationError } from "./float-layers.ts";
import { type QuantizeModelOptions, quantizeModel } from "./quantize-model.ts";
import { type CalibrationImages, withGraph } from "./run-graph.ts";

const micro = createModelConfig("micro", {
  actionUnits: [1, 2, 4, 12],
  numSubjects: 0,
  dropPath: 0,
  imageSize: 48,
});

/**
 * Weights with the traits of trained transformers that make int8 hard: linear weights of unit gain whose outputs differ in
 * size, LayerNorm factors that spread, one in a hundred of them tenfold, and channels of the residual stream far above others.
 */
function trainedLike(config: VitConfig): Map<string, Parameter> {
  const parameters = initialiseParameters(config, 11);
  for (const [name, { shape, data }] of parameters) {
    const random = createRandom(["trained-like", name]);
    const inputs = shape[1] ?? 1;
    if (/blocks.*(qkv|proj|fc1|fc2)\.weight$/.test(name)) {
      for (let output = 0; output < shape[0]!; output++) {
        const gain = (name.includes("qkv") ? 1.5 : 1) * Math.exp(0.4 * random.normal());
        for (let i = 0; i < inputs; i++) data[output * inputs + i] = (gain * random.normal()) / Math.sqrt(inputs);
      }
    } else if (/norm\d\.weight$/.test(name)) {
      for (let i = 0; i < data.length; i++) {
        data[i] = Math.exp(0.4 * random.normal()) * (random.uniform() < 0.01 ? 10 : 1);
      }
    } else if (/blocks.*\.bias$/.test(name)) {
      for (let i = 0; i < data.length; i++) data[i] = 0.3 * random.normal();
    }
    if (/fc2\.bias$/.test(name)) for (const channel of [3, 17, 40]) data[channel] = 6;
  }
  return parameters;
}

/** Smooth coloured patterns, each of its own, normalised. */
function patterns(config: VitConfig, count: number, seed: string): CalibrationImages {
  const side = config.imageSize;
  const draw = (index: number): Float32Array => {
    const random = createRandom([seed, index]);
    const image = new Float32Array(3 * side * side);
    for (let channel = 0; channel < 3; channel++) {
      const waves = Array.from({ length: 6 }, () => ({
        amplitude: random.normal(),
        x: 0.4 * random.normal(),
        y: 0.4 * random.normal(),
        phase: 6 * random.uniform(),
      }));
      const offset = random.normal();
      for (let y = 0; y < side; y++) {
        for (let x = 0; x < side; x++) {
          const at = (channel * side + y) * side + x;
          image[at] = offset;
          for (const wave of waves) {
            const angle = (wave.x * x * 96) / side + (wave.y * y * 96) / side + wave.phase;
            image[at]! += 0.5 * wave.amplitude * Math.sin(angle);
          }
        }
      }
    }
    return image;
  };
  return {
    count,
    async load(from, to) {
      const images = new Float32Array((to - from) * 3 * side * side);
      for (let index = from; index < to; index++) images.set(draw(index), (index - from) * 3 * side * side);
      return images;
    },
  };
}

const optionsOf = (config: VitConfig, changes: Partial<QuantizeModelOptions> = {}): QuantizeModelOptions => ({
  config,
  parameters: trainedLike(config),
  images: patterns(config, 12, "calibration"),
  rangeMethod: "least_squares",
  maxMeanDifference: 1,
  ...changes,
});

const logitsOf = (onnx: Uint8Array, images: CalibrationImages, batchSize?: number) =>
  withGraph(onnx, { images, threads: 1, ...(batchSize !== undefined && { batchSize }) });

function cosine(p: Float32Array, q: Float32Array): number {
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  return dot(p, q) / Math.sqrt(dot(p, p) * dot(q, q));
}

describe("a quantised model", () => {
  it.each<[VitVariant, number]>([
    ["micro", 12],
    ["tiny", 6],
    ["small", 4],
  ])(
    "of ViT-%s answers nearly the logits of float32 to images that it was not calibrated on",
    async (variant, count) => {
      // Forty outputs: of five to four images each one would count too much.
      const actionUnits = Array.from({ length: 40 }, (_, i) => i + 1);
      const config = createModelConfig(variant, { actionUnits, numSubjects: 0, dropPath: 0 });
      const options = optionsOf(config, { images: patterns(config, count, "calibration") });
      const { onnx, floatLayers } = await quantizeModel(options);
      expect(floatLayers).toEqual([]);
      const float = exportOnnx(config, options.parameters);
      const unseen = patterns(config, count, "unseen");
      const [expected, actual] = [await logitsOf(float, unseen), await logitsOf(onnx, unseen)];
      expect(cosine(actual, expected)).toBeGreaterThan(0.99);
      expect(actual).not.toEqual(expected);
      // A byte a weight instead of four.
      if (variant !== "micro") expect(onnx.length).toBeLessThan(0.35 * float.length);
    },
    120_000,
  );

  it("is the same bytes from the same weights and images", async () => {
    const [first, second] = [await quantizeModel(optionsOf(micro)), await quantizeModel(optionsOf(micro))];
    expect(Buffer.compare(first.onnx, second.onnx)).toBe(0);
    const other = await quantizeModel(optionsOf(micro, { images: patterns(micro, 12, "others") }));
    expect(Buffer.compare(first.onnx, other.onnx)).not.toBe(0);
  });

  it("scores an image the same whatever else is in its batch", async () => {
    const { onnx } = await quantizeModel(optionsOf(micro));
    const images = patterns(micro, 8, "batch");
    const [alone, together] = [await logitsOf(onnx, images, 1), await logitsOf(onnx, images, 8)];
    for (const [i, logit] of alone.entries()) expect(Math.abs(together[i]! - logit)).toBeLessThan(1e-4);
  });

  it("can be a classifier, whose probabilities are told apart by softmax", async () => {
    const config = createExpressionConfig("micro", {
      expressions: ["anger", "fear", "neutral"],
      dropPath: 0,
      imageSize: 48,
    });
    const { meanDifference, floatLayers } = await quantizeModel(optionsOf(config, { maxMeanDifference: 0.05 }));
    expect(meanDifference).toBeGreaterThan(0);
    expect(meanDifference).toBeLessThanOrEqual(0.05);
    expect(floatLayers).toEqual([]);
  });
});

describe("a limit", () => {
  it("that all layers in int8 break leaves the fewest most sensitive ones in float", async () => {
    const { meanDifference: all } = await quantizeModel(optionsOf(micro));
    const maxMeanDifference = 0.8 * all;
    const { meanDifference, floatLayers, onnx } = await quantizeModel(optionsOf(micro, { maxMeanDifference }));
    expect(meanDifference).toBeLessThanOrEqual(maxMeanDifference);
    expect(floatLayers.length).toBeGreaterThan(0);
    expect(floatLayers.length).toBeLessThanOrEqual(linearLayers(micro).length / 2);
    const names = linearLayers(micro).map(({ name }) => name);
    expect(floatLayers).toEqual(names.filter((name) => floatLayers.includes(name)));
    for (const name of names) {
      expect(Buffer.from(onnx).includes(`${name}.weight.T.int8`), name).toBe(!floatLayers.includes(name));
    }
  });

  it("that half of the layers in float do not keep is an error with what was measured", async () => {
    const quantizing = quantizeModel(optionsOf(micro, { maxMeanDifference: 1e-9 }));
    await expect(quantizing).rejects.toThrow(InaccurateQuantizationError);
    await expect(quantizing).rejects.toThrow(
      /^Expected probabilities in int8 to differ from float32 by at most 1e-9 on average, got 0\.\d{4} with all layers/,
    );
  });
});

it.each([Number.NaN, Number.POSITIVE_INFINITY])("a model whose logits are %d is not quantised", async (strange) => {
  const parameters = trainedLike(micro);
  parameters.get("head.bias")!.data[1] = strange;
  // Within a limit, were it asked whether it is above: nothing compares with what is not a number.
  const quantizing = quantizeModel(optionsOf(micro, { parameters, maxMeanDifference: 0.5 }));
  await expect(quantizing).rejects.toThrow(`Expected finite logits in float32, got ${strange}`);
});

it("a quantisation needs images, stops when it is told to, and tells how far it is", async () => {
  const none = quantizeModel(optionsOf(micro, { images: patterns(micro, 0, "none") }));
  await expect(none).rejects.toThrow("Expected at least one image to calibrate on, got none");
  const stopping = new AbortController();
  const told: number[] = [];
  const stopped = quantizeModel(
    optionsOf(micro, {
      signal: stopping.signal,
      onProgress(done, of) {
        told.push(done / of);
        if (done === 24) stopping.abort(new Error("stopped"));
      },
    }),
  );
  await expect(stopped).rejects.toThrow("stopped");
  expect(told).toEqual(told.toSorted((p, q) => p - q));
  expect(told.at(-1)).toBeCloseTo(2 / 3);
});
