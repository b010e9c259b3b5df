import { chooseThresholds } from "@duchenne/evaluation";
import type { ModelConfig, SourceWeights } from "@duchenne/model";
import { createAuDetector } from "@duchenne/model/training";
import type { TrainingEvent } from "../events.ts";
import { createTrainingImages } from "../images.ts";
import { occurrenceOf, subjectsOf } from "../labels.ts";
import { createAuObjective } from "../objectives/au-objective.ts";
import { createPredictor } from "../predict.ts";
import type { FineTunePlan } from "../recipes/index.ts";
import { createStepLoader } from "../step-loader.ts";
import { train } from "../train.ts";
import { detectorCardFigures, metricsOf, reportOn, scoreFrames } from "./detector-validation.ts";
import { identityOf, startingParameters, type TrainedModel, type TrainingOptions } from "./training.ts";

/** What a fine-tune works on. */
export interface FineTuneOptions extends TrainingOptions<FineTunePlan> {
  /** Starts from this model instead of drawn weights. */
  readonly initial?: SourceWeights | undefined;
}

/** A detector, and its thresholds when there were subjects to choose them on. */
export interface FineTuneResult extends TrainedModel<ModelConfig> {
  /** In the order of the action units; undefined where the convention 0.5 holds. */
  readonly thresholds: readonly (number | undefined)[];
}

/**
 * Trains an action unit detector, with an identity head behind gradient reversal when lambda is not 0.
 *
 * Without validation subjects, as published, the best epoch is that of the largest F1 with a threshold swept on the test
 * part; with them it is that of the largest macro AUC on them, and they choose a threshold for each action unit.
 *
 * @throws {NonFiniteLossError}
 * @throws {CheckpointMismatchError} when the checkpoint belongs to another training
 * @throws the signal's reason when aborted, after a last checkpoint event
 */
export async function* fineTune(options: FineTuneOptions): AsyncGenerator<TrainingEvent, FineTuneResult, undefined> {
  const { tf, dataset, plan, signal, checkpoint, mode } = options;
  const { recipe, config, parts } = plan;
  const { seed } = recipe.optimization;
  const detector = createAuDetector(tf, config, yield* startingParameters(config, seed, options.initial));
  const images = createTrainingImages(dataset, { ...recipe, imageSize: config.imageSize, seed });
  const predictor = createPredictor(tf, detector, images.plain);
  const scored = { predictor, ...config, dataset, unknownLabels: recipe.unknownLabels };
  const hasValidation = recipe.split.validationFraction > 0;
  try {
    const trained = yield* train({
      tf,
      objective: createAuObjective(tf, detector, { ...recipe, ...recipe.optimization }),
      plan,
      training: identityOf("fine_tune", options),
      phase: "training",
      load: createStepLoader({ samples: parts.train, plan }, async (samples, epoch) => ({
        images: await images.augmented(samples, epoch),
        occurrence: occurrenceOf(dataset, samples, { ...config, ...recipe }),
        subjects: subjectsOf(dataset, samples),
      })),
      async validate() {
        const report = reportOn(await scoreFrames(scored, parts.validation, signal));
        return {
          metrics: metricsOf(report, hasValidation ? "validation" : "test"),
          figure: hasValidation ? report.macroAuc.value : report.sweptF1.value,
        };
      },
      signal,
      checkpoint,
      mode,
    });
    const test = await scoreFrames(scored, parts.test, signal);
    const metrics = detectorCardFigures(test, "test", seed);
    if (!hasValidation) return { config, thresholds: config.actionUnits.map(() => undefined), ...trained, metrics };
    const validation = await scoreFrames(scored, parts.validation, signal);
    const thresholds = chooseThresholds(validation);
    return {
      config,
      thresholds,
      ...trained,
      metrics: { ...detectorCardFigures(validation, "validation", seed), ...metrics },
    };
  } finally {
    predictor.dispose();
    detector.dispose();
    await images.close();
  }
}
