import type { Dataset } from "@duchenne/data";
import { macroAucOf, topAccuracy } from "@duchenne/evaluation";
import { outputCount, probabilitiesOf, type Quantization, type VitConfig } from "@duchenne/model";
import { predictWithVit } from "../predict.ts";

/** What is compared, on which frames. */
export interface ComparePrecisionsOptions {
  readonly config: VitConfig;
  /** ONNX files. */
  readonly float32: string;
  readonly int8: string;
  readonly dataset: Dataset;
  /** Places in the data set. */
  readonly frames: Uint32Array;
  readonly signal: AbortSignal;
  /** Told of the frames that both are through with, each counted once. */
  readonly onProgress: (done: number) => void;
}

/** What both precisions answer to the same frames, as they are served. */
export async function comparePrecisions({
  config,
  float32,
  int8,
  dataset,
  frames,
  signal,
  onProgress,
}: ComparePrecisionsOptions): Promise<Omit<Quantization["measured"], "isHeldOut">> {
  const predict = async (path: string, before: number): Promise<Float32Array> => {
    const progress = (done: number) => onProgress(Math.floor(before + done / 2));
    const { logits } = await predictWithVit(path, config, { dataset, frames, signal, onProgress: progress });
    return probabilitiesOf(config, logits);
  };
  const expected = await predict(float32, 0);
  const actual = await predict(int8, frames.length / 2);
  const differences = actual.map((probability, i) => Math.abs(probability - expected[i]!));
  return {
    frames: frames.length,
    meanDifference: differences.reduce((sum, each) => sum + each, 0) / differences.length,
    maxDifference: differences.reduce((largest, each) => Math.max(largest, each), 0),
    float32: figuresOf(config, expected, dataset, frames),
    int8: figuresOf(config, actual, dataset, frames),
  };
}

/** What the labels of the frames tell; nothing, where there are none. */
function figuresOf(
  config: VitConfig,
  probabilities: Float32Array,
  { actionUnits, expressions = [], samples }: Dataset,
  frames: Uint32Array,
): Quantization["measured"]["float32"] {
  const outputs = outputCount(config);
  if (config.kind === "vit") {
    const places = config.actionUnits.map((actionUnit) => actionUnits.indexOf(actionUnit));
    const occurrence = Array.from(frames, (index) =>
      places.map((place) => (place < 0 ? -1 : samples[index]!.occurrence[place]!)),
    );
    const scored = { actionUnits: config.actionUnits, probabilities, occurrence: Int8Array.from(occurrence.flat()) };
    const macroAuc = macroAucOf(scored)(() => 1);
    return macroAuc === undefined ? {} : { macroAuc };
  }
  const labels = Array.from(frames, (index) =>
    config.expressions.indexOf(expressions[samples[index]!.expression] ?? ""),
  );
  const known = [...labels.keys()].filter((row) => labels[row]! >= 0);
  if (known.length === 0) return {};
  const rows = known.map((row) => [...probabilities.subarray(row * outputs, (row + 1) * outputs)]);
  const classified = { logits: Float32Array.from(rows.flat()), labels: Int32Array.from(known, (row) => labels[row]!) };
  return { top1: topAccuracy(classified, 1) };
}
