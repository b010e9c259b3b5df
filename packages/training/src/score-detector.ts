import type { Dataset } from "@duchenne/data";
import type { ModelConfig, ParameterSet } from "@duchenne/model";
import { createAuDetector } from "@duchenne/model/training";
import type { TensorFlow } from "@duchenne/tensor";
import { createTrainingImages } from "./images.ts";
import { createPredictor } from "./predict.ts";
import { type ScoredFrames, scoreFrames } from "./trainings/detector-validation.ts";

/** What is scored by which detector. */
export interface ScoreDetectorOptions {
  readonly tf: TensorFlow;
  readonly model: { readonly config: ModelConfig; readonly parameters: ParameterSet };
  readonly dataset: Dataset;
  readonly samples: Uint32Array;
  readonly signal: AbortSignal;
}

/** A trained detector's probabilities on some frames, beside their labels. @throws the signal's reason when aborted */
export async function scoreDetector(options: ScoreDetectorOptions): Promise<ScoredFrames> {
  const { tf, model, dataset, samples, signal } = options;
  const { actionUnits, imageSize } = model.config;
  const detector = createAuDetector(tf, model.config, model.parameters);
  const images = createTrainingImages(dataset, { augmentation: "none", imageSize, seed: 0 });
  const predictor = createPredictor(tf, detector, images.plain);
  try {
    return await scoreFrames({ predictor, actionUnits, dataset, unknownLabels: "masked" }, samples, signal);
  } finally {
    predictor.dispose();
    detector.dispose();
    await images.close();
  }
}
