import type { Dataset } from "@duchenne/data";
import type { MaeConfig, SourceWeights } from "@duchenne/model";
import type { TensorFlow } from "@duchenne/tensor";
import { pretrain } from "@duchenne/training";
import { type Partially, type PretrainRecipe, planPretrain } from "@duchenne/training/recipes";
import { followTraining } from "./follow-training.ts";

/** What is pretrained, and how long. */
export interface PretrainEncoderOptions {
  readonly encoder: Partially<PretrainRecipe["encoder"]>;
  readonly pretraining: Partially<PretrainRecipe["optimization"]>;
  /** Another decoder than the variant's own. */
  readonly decoder?: Pick<MaeConfig, "decoderDim" | "decoderDepth" | "decoderHeads">;
}

/** A masked autoencoder's encoder, pretrained on faces whose labels nobody looks at. */
export async function pretrainEncoder(
  tf: TensorFlow,
  dataset: Dataset,
  { encoder, pretraining, decoder }: PretrainEncoderOptions,
): Promise<SourceWeights> {
  const never = Number.MAX_SAFE_INTEGER;
  const optimization = { ...pretraining, seed: 1, checkpointEverySteps: never, metricsEverySteps: never };
  const planned = planPretrain({ encoder, optimization }, dataset);
  const plan = { ...planned, config: { ...planned.config, ...decoder } };
  const { signal } = new AbortController();
  return (await followTraining("pretraining", pretrain({ tf, dataset, plan, signal }))).result;
}
