import type { Dataset } from "@duchenne/data";
import type { SourceWeights } from "@duchenne/model";
import type { TensorFlow } from "@duchenne/tensor";
import { pretrain } from "@duchenne/training";
import { planPretrain } from "@duchenne/training/recipes";
import { followTraining } from "./follow-training.ts";
import { SETTINGS } from "./settings.ts";

/** A masked autoencoder's encoder, pretrained on faces whose labels nobody looks at. */
export async function pretrainEncoder(tf: TensorFlow, dataset: Dataset): Promise<SourceWeights> {
  const plan = planPretrain(
    {
      encoder: SETTINGS.encoder,
      optimization: {
        ...SETTINGS.pretraining,
        seed: 1,
        checkpointEverySteps: Number.MAX_SAFE_INTEGER,
        metricsEverySteps: Number.MAX_SAFE_INTEGER,
      },
    },
    dataset,
  );
  const { signal } = new AbortController();
  return (await followTraining("pretraining", pretrain({ tf, dataset, plan, signal }))).result;
}
