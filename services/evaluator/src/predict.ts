import { readFile } from "node:fs/promises";
import { createImageLoader, type Dataset } from "@duchenne/data";
import { outputCount, type VitConfig } from "@duchenne/model";
import { createOnnxRunner, createVisionEngine, describeBuiltInModel } from "@duchenne/vision";

/** How predictions are made. */
export interface PredictOptions {
  readonly dataset: Dataset;
  readonly frames: Uint32Array;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number) => void;
}

const BATCH = 16;

/** What a trained version answers to N frames. */
export interface VitPredictions {
  /** [N * C], in the order of the model's outputs. */
  readonly logits: Float32Array;
  /** [N * D] */
  readonly features: Float32Array;
}

/** Predicts with a trained version's ONNX file, as it is served. */
export async function predictWithVit(
  onnxPath: string,
  config: VitConfig,
  { dataset, frames, signal, onProgress }: PredictOptions,
): Promise<VitPredictions> {
  const loader = createImageLoader(dataset, { imageSize: config.imageSize, cacheBytes: 0 });
  const outputs = outputCount(config);
  const logits = new Float32Array(frames.length * outputs);
  const features = new Float32Array(frames.length * config.dim);
  const runner = await createOnnxRunner(onnxPath);
  try {
    for (let from = 0; from < frames.length; from += BATCH) {
      signal.throwIfAborted();
      const batch = frames.subarray(from, from + BATCH);
      const scored = await runner.run(await loader.load(batch), batch.length, { signal });
      logits.set(scored.logits, from * outputs);
      features.set(scored.features, from * config.dim);
      onProgress(from + batch.length);
    }
  } finally {
    await runner.close();
  }
  return { logits, features };
}

/** Scores with the built-in model, [N * A]: its activations stand in for probabilities. A frame without a face scores 0. */
export async function predictWithBuiltIn({
  dataset,
  frames,
  signal,
  onProgress,
}: PredictOptions): Promise<Float32Array> {
  const { actionUnits } = describeBuiltInModel();
  const probabilities = new Float32Array(frames.length * actionUnits.length);
  const engine = createVisionEngine({ workers: 1 });
  try {
    const model = await engine.load({ kind: "blendshape-au" });
    for (const [row, index] of frames.entries()) {
      const { imagePath, box } = dataset.samples[index]!;
      const image = await readFile(imagePath);
      const { faces } = await model.run(
        { image, maxFaces: 1, faceBox: box, imageIsCrop: box === undefined },
        { signal },
      );
      for (const [unit, { actionUnit }] of actionUnits.entries()) {
        const score = faces[0]?.scores.find((each) => each.actionUnit === actionUnit && each.side === undefined);
        probabilities[row * actionUnits.length + unit] = score?.score ?? 0;
      }
      onProgress(row + 1);
    }
  } finally {
    await engine.close();
  }
  return probabilities;
}
