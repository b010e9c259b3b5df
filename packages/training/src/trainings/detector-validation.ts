import type { Dataset } from "@duchenne/data";
import { type EvaluationReport, evaluate, type ScoredUnits } from "@duchenne/evaluation";
import { occurrenceOf, type UnknownLabels } from "../labels.ts";
import type { Predictor } from "../predict.ts";

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

/**
 * A report's figures as metrics.
 *
 * @param part "validation" or "test": what they were measured on
 */
export function metricsOf(report: EvaluationReport, part: "validation" | "test"): Record<string, number> {
  const { meanF1, meanTrivialF1, sweptF1, macroAuc, actionUnits } = report;
  const figures: Record<string, number | undefined> = {
    meanF1: meanF1.value,
    trivialF1: meanTrivialF1,
    sweptF1: sweptF1.value,
    sweptThreshold: sweptF1.threshold,
    macroAuc: macroAuc.value,
    ...Object.fromEntries(actionUnits.map(({ actionUnit, f1 }) => [`f1/AU${actionUnit}`, f1.value])),
  };
  return Object.fromEntries(
    Object.entries(figures).flatMap(([name, value]) => (value === undefined ? [] : [[`${part}/${name}`, value]])),
  );
}
