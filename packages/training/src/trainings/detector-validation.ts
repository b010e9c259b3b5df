import type { Dataset } from "@duchenne/data";
import { type Estimate, type EvaluationReport, evaluate, type ScoredUnits } from "@duchenne/evaluation";
import type { CardFigure } from "@duchenne/model";
import { occurrenceOf, type UnknownLabels } from "../labels.ts";
import type { Predictor } from "../predict.ts";
import { CARD_RESAMPLES, cardFigures } from "./card-figures.ts";

/** What a detector is measured on. */
export interface DetectorValidationOptions {
  readonly predictor: Predictor;
  readonly actionUnits: readonly number[];
  readonly dataset: Dataset;
  readonly unknownLabels: UnknownLabels;
}

/** A detector's answers on some frames beside their labels. */
export interface ScoredFrames extends ScoredUnits {
  /** Of each frame. */
  readonly subjects: readonly string[];
}

/** Scores frames with the detector's present weights. @throws the signal's reason when aborted */
export async function scoreFrames(
  { predictor, actionUnits, dataset, unknownLabels }: DetectorValidationOptions,
  samples: Uint32Array,
  signal: AbortSignal,
): Promise<ScoredFrames> {
  const { logits } = await predictor.predict(samples, signal);
  return {
    actionUnits,
    probabilities: logits.map((logit) => 1 / (1 + Math.exp(-logit))),
    occurrence: occurrenceOf(dataset, samples, { actionUnits, unknownLabels }),
    subjects: Array.from(samples, (index) => dataset.samples[index]!.subject),
  };
}

/** The figures of scored frames. Curves over epochs need no intervals. */
export function reportOn(frames: ScoredFrames): EvaluationReport {
  return evaluate({ ...frames, thresholds: frames.actionUnits.map(() => 0.5), seed: 0, resamples: 0 });
}

/** What a figure was measured on. */
export type MeasuredPart = "validation" | "test";

/** A report's figures as metrics. */
export function metricsOf(report: EvaluationReport, part: MeasuredPart): Record<string, number> {
  return Object.fromEntries(
    namedFigures(report, part).flatMap(([name, { value }]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** The figures of scored frames as a model's card tells them: by the names of the metrics, with intervals. */
export function detectorCardFigures(
  frames: ScoredFrames,
  part: MeasuredPart,
  seed: number,
): Record<string, CardFigure> {
  const thresholds = frames.actionUnits.map(() => 0.5);
  const report = evaluate({ ...frames, thresholds, seed, resamples: CARD_RESAMPLES });
  return cardFigures(namedFigures(report, part), report.intervalsOver);
}

function namedFigures(report: EvaluationReport, part: MeasuredPart): [string, Estimate][] {
  const { meanF1, meanTrivialF1, sweptF1, macroAuc, actionUnits } = report;
  const figures: Record<string, Estimate> = {
    meanF1,
    trivialF1: { value: meanTrivialF1 },
    sweptF1,
    sweptThreshold: { value: sweptF1.threshold },
    macroAuc,
    ...Object.fromEntries(actionUnits.map(({ actionUnit, f1 }) => [`f1/AU${actionUnit}`, f1])),
  };
  return Object.entries(figures).map(([name, figure]) => [`${part}/${name}`, figure]);
}
