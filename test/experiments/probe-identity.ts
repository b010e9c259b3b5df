import type { Dataset } from "@duchenne/data";
import type { ModelConfig } from "@duchenne/model";
import type { TensorFlow } from "@duchenne/tensor";
import { type LinearProbeResult, linearProbe, type TrainedModel } from "@duchenne/training";
import { planLinearProbe } from "@duchenne/training/recipes";
import { followTraining } from "./follow-training.ts";
import { SETTINGS } from "./settings.ts";

/** A probe, and the subjects of its held-out frames. */
export interface ProbedIdentity extends LinearProbeResult {
  readonly heldSubjects: readonly string[];
}

/**
 * Names all subjects, those that the detector was trained on and those that it was not, from its frozen features: on 70 %
 * of each subject's frames, measured on the others.
 */
export async function probeIdentity(
  tf: TensorFlow,
  name: string,
  dataset: Dataset,
  model: TrainedModel<ModelConfig>,
  layers: 1 | 2,
): Promise<ProbedIdentity> {
  const { signal } = new AbortController();
  const plan = planLinearProbe(
    {
      layers,
      optimization: {
        ...SETTINGS.probe,
        checkpointEverySteps: Number.MAX_SAFE_INTEGER,
        metricsEverySteps: Number.MAX_SAFE_INTEGER,
      },
    },
    dataset,
  );
  const probe = linearProbe({ tf, dataset, plan, model, signal });
  const { result } = await followTraining(name, probe);
  return { ...result, heldSubjects: Array.from(plan.split.test, (sample) => dataset.samples[sample]!.subject) };
}
