import { createRandom } from "@duchenne/data";
import { type MaeConfig, patchCount, type SourceWeights } from "@duchenne/model";
import { createMae, maskFromNoise } from "@duchenne/model/training";
import type { TrainingEvent } from "../events.ts";
import { createTrainingImages } from "../images.ts";
import { createMaeObjective } from "../objectives/mae-objective.ts";
import type { PretrainPlan } from "../recipes/index.ts";
import { createStepLoader } from "../step-loader.ts";
import { train } from "../train.ts";
import { identityOf, startingParameters, type TrainedModel, type TrainingOptions } from "./training.ts";

/** What a pretraining works on. */
export interface PretrainOptions extends TrainingOptions<PretrainPlan> {
  /** Starts from this model instead of drawn weights. */
  readonly initial?: SourceWeights | undefined;
}

/**
 * Trains a masked autoencoder to reconstruct hidden patches (He et al. 2022); labels are not looked at. Errors are those of
 * `fineTune`.
 */
export async function* pretrain(
  options: PretrainOptions,
): AsyncGenerator<TrainingEvent, TrainedModel<MaeConfig>, undefined> {
  const { tf, dataset, plan, signal, checkpoint, mode } = options;
  const { recipe, config } = plan;
  const { seed } = recipe.optimization;
  const patches = patchCount(config);
  const mae = createMae(tf, config, yield* startingParameters(config, seed, options.initial));
  const images = createTrainingImages(dataset, { ...recipe, imageSize: config.imageSize, seed });
  try {
    const trained = yield* train({
      tf,
      objective: createMaeObjective(tf, mae, config, { ...recipe, ...recipe.optimization }),
      plan,
      training: identityOf("pretrain", options),
      phase: "pretraining",
      load: createStepLoader({ samples: plan.train, plan }, async (samples, epoch, index) => {
        const random = createRandom([seed, "mask", epoch, index]);
        const noise = Float32Array.from({ length: samples.length * patches }, () => random.uniform());
        return {
          images: await images.augmented(samples, epoch),
          mask: maskFromNoise(noise, patches, recipe.maskRatio),
        };
      }),
      signal,
      checkpoint,
      mode,
    });
    // Nothing is held out.
    return { config, ...trained, metrics: {} };
  } finally {
    mae.dispose();
    await images.close();
  }
}
