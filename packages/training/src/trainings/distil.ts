import { chooseThresholds } from "@duchenne/evaluation";
import type { ModelConfig, SourceWeights } from "@duchenne/model";
import { createAuDetector, createVit } from "@duchenne/model/training";
import type { TrainingEvent } from "../events.ts";
import { createTrainingImages } from "../images.ts";
import { occurrenceOf, subjectsOf } from "../labels.ts";
import { createDistillationObjective } from "../objectives/distillation-objective.ts";
import { createPredictor } from "../predict.ts";
import type { DistilPlan } from "../recipes/index.ts";
import { createStepLoader } from "../step-loader.ts";
import { train } from "../train.ts";
import { detectorCardFigures, metricsOf, reportOn, scoreFrames } from "./detector-validation.ts";
import type { FineTuneResult } from "./fine-tune.ts";
import { identityOf, startingParameters, type TrainingOptions } from "./training.ts";

/** What a distillation works on. */
export interface DistilOptions extends TrainingOptions<DistilPlan> {
  /** The action unit detector to learn from. */
  readonly teacher: SourceWeights & { readonly config: ModelConfig };
  /** The student starts from this model instead of drawn weights. */
  readonly initial?: SourceWeights | undefined;
}

/**
 * Trains a small detector to answer like a large one. Errors are those of `fineTune`.
 */
export async function* distil(options: DistilOptions): AsyncGenerator<TrainingEvent, FineTuneResult, undefined> {
  const { tf, dataset, plan, signal, checkpoint, mode } = options;
  const { recipe, config, parts } = plan;
  const { seed } = recipe.optimization;
  const student = createAuDetector(tf, config, yield* startingParameters(config, seed, options.initial));
  const teacher = createVit(tf, options.teacher.config, options.teacher.parameters);
  const objective = createDistillationObjective(tf, { student, teacher }, { ...recipe, ...recipe.optimization });
  const images = createTrainingImages(dataset, { ...recipe, imageSize: config.imageSize, seed });
  const labels = { actionUnits: config.actionUnits, unknownLabels: "masked" } as const;
  const predictor = createPredictor(tf, student, images.plain);
  const scored = { predictor, dataset, ...labels };
  const part = recipe.split.validationFraction > 0 ? "validation" : "test";
  try {
    const trained = yield* train({
      tf,
      objective,
      plan,
      training: identityOf("distil", options),
      phase: "distilling",
      load: createStepLoader({ samples: parts.train, plan }, async (samples, epoch) => ({
        images: await images.augmented(samples, epoch),
        occurrence: occurrenceOf(dataset, samples, labels),
        subjects: subjectsOf(dataset, samples),
      })),
      async validate() {
        const report = reportOn(await scoreFrames(scored, parts.validation, signal));
        return { metrics: metricsOf(report, part), figure: report.macroAuc.value };
      },
      signal,
      checkpoint,
      mode,
    });
    const metrics = detectorCardFigures(await scoreFrames(scored, parts.test, signal), "test", seed);
    const result = { config, ...trained, parameters: student.parameters(), metrics };
    if (part === "test") return { ...result, thresholds: config.actionUnits.map(() => undefined) };
    const validation = await scoreFrames(scored, parts.validation, signal);
    return {
      ...result,
      thresholds: chooseThresholds(validation),
      metrics: { ...detectorCardFigures(validation, "validation", seed), ...metrics },
    };
  } finally {
    predictor.dispose();
    objective.dispose();
    teacher.dispose();
    student.dispose();
    await images.close();
  }
}
