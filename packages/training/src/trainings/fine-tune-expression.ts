import { type ClassifiedFrames, evaluateExpressions, topAccuracy } from "@duchenne/evaluation";
import type { ExpressionConfig, SourceWeights } from "@duchenne/model";
import { createVit } from "@duchenne/model/training";
import type { TrainingEvent } from "../events.ts";
import { createTrainingImages } from "../images.ts";
import { createExpressionObjective } from "../objectives/expression-objective.ts";
import { createPredictor } from "../predict.ts";
import type { ExpressionPlan } from "../recipes/index.ts";
import { createStepLoader } from "../step-loader.ts";
import { train } from "../train.ts";
import { CARD_RESAMPLES, cardFigures } from "./card-figures.ts";
import { identityOf, startingParameters, type TrainedModel, type TrainingOptions } from "./training.ts";

/** What an expression fine-tune works on. */
export interface FineTuneExpressionOptions extends TrainingOptions<ExpressionPlan> {
  /** Starts from this model instead of drawn weights. */
  readonly initial?: SourceWeights | undefined;
}

/**
 * Trains an expression classifier; the best epoch is that of the largest top-1 accuracy on the validation part, or on the
 * test part as published. Errors are those of `fineTune`.
 */
export async function* fineTuneExpression(
  options: FineTuneExpressionOptions,
): AsyncGenerator<TrainingEvent, TrainedModel<ExpressionConfig>, undefined> {
  const { tf, dataset, plan, signal, checkpoint, mode } = options;
  const { recipe, config, parts } = plan;
  const { seed } = recipe.optimization;
  const classifier = createVit(tf, config, yield* startingParameters(config, seed, options.initial));
  const images = createTrainingImages(dataset, { ...recipe, imageSize: config.imageSize, seed });
  const predictor = createPredictor(tf, classifier, images.plain);
  const labelsOf = (samples: Uint32Array) => Int32Array.from(samples, (index) => dataset.samples[index]!.expression);
  const classify = async (samples: Uint32Array): Promise<ClassifiedFrames> => {
    const { logits } = await predictor.predict(samples, signal);
    return { logits, labels: labelsOf(samples) };
  };
  const hasValidation = recipe.split.validationFraction > 0;
  try {
    const trained = yield* train({
      tf,
      objective: createExpressionObjective(tf, classifier, recipe.optimization),
      plan,
      training: identityOf("fine_tune_expression", options),
      phase: "training",
      load: createStepLoader({ samples: parts.train, plan }, async (samples, epoch) => ({
        images: await images.augmented(samples, epoch),
        expressions: labelsOf(samples),
      })),
      async validate() {
        const top1 = topAccuracy(await classify(parts.validation), 1);
        return { metrics: { [hasValidation ? "validation/top1" : "test/top1"]: top1 }, figure: top1 };
      },
      signal,
      checkpoint,
      mode,
    });
    const figures = async (samples: Uint32Array, part: "validation" | "test") => {
      const subjects = Array.from(samples, (index) => dataset.samples[index]!.subject);
      const { expressions } = config;
      const input = { ...(await classify(samples)), expressions, subjects, seed, resamples: CARD_RESAMPLES };
      const { top1, meanClassAccuracy, macroF1, intervalsOver } = evaluateExpressions(input);
      const named = Object.entries({ top1, meanClassAccuracy, macroF1 });
      return cardFigures(
        named.map(([name, figure]) => [`${part}/${name}`, figure]),
        intervalsOver,
      );
    };
    const validation = hasValidation ? await figures(parts.validation, "validation") : {};
    return { config, ...trained, metrics: { ...validation, ...(await figures(parts.test, "test")) } };
  } finally {
    predictor.dispose();
    classifier.dispose();
    await images.close();
  }
}
