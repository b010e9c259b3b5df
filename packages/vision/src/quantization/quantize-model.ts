import {
  exportOnnx,
  linearLayers,
  type ParameterSet,
  probabilitiesOf,
  type RangeMethod,
  smoothParameters,
  type VitConfig,
} from "@duchenne/model";
import { channelMaxima, inputRanges } from "./calibrate.ts";
import { fewestFloatLayers } from "./float-layers.ts";
import { type CalibrationImages, type GraphRun, withGraph } from "./run-graph.ts";

/** What is quantised, and how. */
export interface QuantizeModelOptions {
  readonly config: VitConfig;
  /** In float32. */
  readonly parameters: ParameterSet;
  /** At least one: faces like those that it is for. */
  readonly images: CalibrationImages;
  /** How the ranges of a layer's inputs are chosen from what was seen. */
  readonly rangeMethod: RangeMethod;
  /** The largest mean difference of a probability to the float model's, on these images. */
  readonly maxMeanDifference: number;
  /** Threads of the sessions. Default: 1, which leaves the others to what serves. */
  readonly threads?: number;
  readonly signal?: AbortSignal;
  /** Told of every batch. @param of how many images are run, as far as is known */
  readonly onProgress?: (done: number, of: number) => void;
}

/** A model in int8. */
export interface QuantizedModel {
  /** Its ONNX file: the same inputs and outputs. */
  readonly onnx: Uint8Array<ArrayBuffer>;
  /** Linear layers that stayed in float, in the order of the graph. */
  readonly floatLayers: readonly string[];
  /** Of a probability to the float model's, on the calibration's images. */
  readonly meanDifference: number;
}

/** Images that a layer's own effect is measured on. */
const MAX_SENSITIVITY_IMAGES = 16;

/**
 * Quantises the linear layers of a model to int8, statically: ranges of their inputs come from images that the float model
 * is run on, so that the scores of a face do not depend on what else is in its batch. What varies between inputs of a
 * layer is moved into its weights first (`smoothParameters`). When a probability then differs by more than is allowed, the
 * layers that matter most, by what each alone changes, stay in float.
 *
 * Equal inputs give equal bytes on one kind of machine. It blocks its thread for the length of a batch, so run it where
 * nothing waits for that.
 *
 * @throws {InaccurateQuantizationError} when half of the layers would have to stay in float and it is not enough
 * @throws {RangeError} without images, or when the model answers what is not finite
 */
export async function quantizeModel(options: QuantizeModelOptions): Promise<QuantizedModel> {
  const { config, images, rangeMethod, maxMeanDifference, threads = 1, signal } = options;
  if (images.count < 1) throw new RangeError("Expected at least one image to calibrate on, got none");
  const layers = linearLayers(config).map(({ name }) => name);
  let done = 0;
  let expected = 3 * images.count;
  const run: GraphRun = {
    images,
    threads,
    signal,
    onImages(count) {
      done += count;
      options.onProgress?.(done, Math.max(expected, done));
    },
  };

  const { maxima, logits } = await channelMaxima(config, options.parameters, run);
  const strange = logits.find((logit) => !Number.isFinite(logit));
  if (strange !== undefined) throw new RangeError(`Expected finite logits in float32, got ${strange}`);
  const expectedProbabilities = probabilitiesOf(config, logits);
  const parameters = smoothParameters(config, options.parameters, maxima);
  const ranges = await inputRanges(config, parameters, rangeMethod, run);

  const writeWith = (isInt8: (layer: string) => boolean) =>
    exportOnnx(config, parameters, { int8: new Map([...ranges].filter(([layer]) => isInt8(layer))) });
  const differenceOf = async (onnx: Uint8Array, count = images.count): Promise<number> => {
    const some = { ...run, images: { count, load: (from: number, to: number) => images.load(from, to) } };
    const probabilities = probabilitiesOf(config, await withGraph(onnx, some));
    return meanDifference(probabilities, expectedProbabilities);
  };

  const onnx = writeWith(() => true);
  const difference = await differenceOf(onnx);
  if (difference <= maxMeanDifference) return { onnx, floatLayers: [], meanDifference: difference };

  const sensitivityImages = Math.min(images.count, MAX_SENSITIVITY_IMAGES);
  expected += layers.length * sensitivityImages + Math.ceil(Math.log2(layers.length)) * images.count;
  const sensitivity = new Map<string, number>();
  for (const layer of layers) {
    sensitivity.set(
      layer,
      await differenceOf(
        writeWith((each) => each === layer),
        sensitivityImages,
      ),
    );
  }
  return fewestFloatLayers({
    layers,
    sensitivity,
    maxMeanDifference,
    allInt8: difference,
    async quantize(floatLayers) {
      const some = writeWith((layer) => !floatLayers.includes(layer));
      return { onnx: some, floatLayers, meanDifference: await differenceOf(some) };
    },
  });
}

/** The mean difference of probabilities; of the first ones where there are fewer. */
function meanDifference(probabilities: Float32Array, expected: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < probabilities.length; i++) sum += Math.abs(probabilities[i]! - expected[i]!);
  return sum / probabilities.length;
}
