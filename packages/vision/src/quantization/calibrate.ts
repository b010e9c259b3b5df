import {
  type ActivationRange,
  type ChannelMaxima,
  exportOnnx,
  inputCosts,
  linearLayers,
  type ParameterSet,
  patchCount,
  type RangeMethod,
  tapOf,
  ValueHistogram,
  type VitConfig,
} from "@duchenne/model";
import { type GraphRun, withGraph } from "./run-graph.ts";

/** Inputs of linear layers that are held in memory at once. */
const MAX_TAP_BYTES = 64 * 2 ** 20;
const MAX_BATCH = 16;

/** The largest magnitude of each input of every linear layer, and the logits, over all images. */
export async function channelMaxima(
  config: VitConfig,
  parameters: ParameterSet,
  run: GraphRun,
): Promise<{ readonly maxima: ChannelMaxima; readonly logits: Float32Array }> {
  const maxima = new Map(linearLayers(config).map(({ name, inputs }) => [name, new Float32Array(inputs)]));
  const logits = await watchLayers(config, parameters, run, (layer, values) => {
    const largest = maxima.get(layer)!;
    const inputs = largest.length;
    for (let i = 0; i < values.length; i++) {
      const magnitude = Math.abs(values[i]!);
      if (magnitude > largest[i % inputs]!) largest[i % inputs] = magnitude;
    }
  });
  return { maxima, logits };
}

/** The range of what goes into each linear layer, over all images. Least squares are those of the layer's outputs. */
export async function inputRanges(
  config: VitConfig,
  parameters: ParameterSet,
  method: RangeMethod,
  run: GraphRun,
): Promise<ReadonlyMap<string, ActivationRange>> {
  const layers = linearLayers(config).map(({ name, inputs }) => ({
    name,
    histogram: new ValueHistogram(),
    costs: method === "least_squares" ? inputCosts(parameters.get(`${name}.weight`)!.data, inputs) : undefined,
  }));
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  await watchLayers(config, parameters, run, (name, values) => {
    const { histogram, costs } = byName.get(name)!;
    histogram.add(values, costs);
  });
  return new Map(layers.map(({ name, histogram }) => [name, histogram.range(method)]));
}

/** Runs the float graph on all images and shows what goes into each linear layer; answers the logits. */
function watchLayers(
  config: VitConfig,
  parameters: ParameterSet,
  run: GraphRun,
  look: (layer: string, values: Float32Array) => void,
): Promise<Float32Array> {
  const layers = linearLayers(config);
  const perImage = 4 * (patchCount(config) + 1) * layers.reduce((sum, { inputs }) => sum + inputs, 0);
  const batchSize = Math.min(Math.max(Math.floor(MAX_TAP_BYTES / perImage), 1), MAX_BATCH);
  return withGraph(exportOnnx(config, parameters, { taps: true }), { ...run, batchSize }, (outputs) => {
    for (const { name } of layers) look(name, outputs(tapOf(name)));
  });
}
