import { createRandom, type Dataset } from "@duchenne/data";
import type { ModelConfig, SourceWeights } from "@duchenne/model";
import type { TensorFlow } from "@duchenne/tensor";
import { fineTune, type ScoredFrames, scoreDetector, type TrainedModel } from "@duchenne/training";
import { planFineTune } from "@duchenne/training/recipes";
import { followTraining } from "./follow-training.ts";
import { SETTINGS } from "./settings.ts";

/** How one fine-tune differs from another. */
export interface FineTuneDetectorOptions {
  readonly name: string;
  readonly dataset: Dataset;
  readonly lambda: number;
  /** Of the drawn weights and the order; the fold of this number is tested on. */
  readonly seed: number;
  readonly epochs: number;
  /** Absent: drawn weights. */
  readonly initial?: SourceWeights | undefined;
  /** Share of the training part's frames that is used. They are shown as often as all would be: steps stay the same. */
  readonly share?: number;
}

/** A detector after its last step: no epoch was chosen on the test part. */
export interface FineTunedDetector {
  readonly model: TrainedModel<ModelConfig>;
  /** On the test part. */
  readonly scored: ScoredFrames;
  readonly train: Uint32Array;
  readonly test: Uint32Array;
  /** Metrics of the test part after each epoch, by name. */
  readonly epochs: readonly Readonly<Record<string, number>>[];
  /** Frames with labels. */
  readonly labelled: number;
}

/** Fine-tunes a detector on all folds but one, and scores that one. */
export async function fineTuneDetector(
  tf: TensorFlow,
  { name, dataset, lambda, seed, epochs: passes, initial, share = 1 }: FineTuneDetectorOptions,
): Promise<FineTunedDetector> {
  const { signal } = new AbortController();
  const whole = planFineTune(
    {
      lambda,
      identityLoss: SETTINGS.identityLoss,
      encoder: { ...SETTINGS.encoder, dropPath: 0 },
      augmentation: "flip",
      split: { fold: seed, validationFraction: 0 },
      optimization: {
        ...SETTINGS.fineTune,
        epochs: passes,
        keep: "last",
        seed,
        checkpointEverySteps: Number.MAX_SAFE_INTEGER,
        metricsEverySteps: Number.MAX_SAFE_INTEGER,
      },
    },
    dataset,
    initial?.config,
  );
  const { train, test } = whole.parts;
  const order = createRandom([seed, "label-share"]).permutation(train.length);
  const labelled = Math.round(share * train.length);
  const plan = { ...whole, parts: { ...whole.parts, train: train.map((_, i) => train[order[i % labelled]!]!) } };
  const training = fineTune({ tf, dataset, plan, signal, initial });
  const { result: model, epochs } = await followTraining(name, training);
  const scored = await scoreDetector({ tf, model, dataset, samples: test, signal });
  return { model, scored, train, test, epochs, labelled };
}
