import type { Dataset } from "@duchenne/data";
import {
  type EvaluationReport,
  type ExpressionReport,
  type ExpressionScores,
  evaluate,
  evaluateExpressions,
  type FrameScores,
  writeExpressionScores,
  writeFrameScores,
} from "@duchenne/evaluation";
import { withSpan } from "@duchenne/rpc/telemetry";
import type { EvaluableClassifier, EvaluableDetector } from "./evaluable-version.ts";
import type { EvaluationSpec } from "./evaluation-spec.ts";
import { type PredictOptions, predictWithBuiltIn, predictWithVit } from "./predict.ts";
import { sharedActionUnits, sharedExpressions } from "./select-frames.ts";

/** What an evaluation is made with. */
export interface ReportOptions extends PredictOptions {
  readonly spec: EvaluationSpec;
  /** The version's ONNX file; absent for the built-in model. */
  readonly onnxPath: string | undefined;
}

/** What an evaluation finds. */
export interface EvaluationOutcome {
  readonly report: EvaluationReport | ExpressionReport;
  /** What every frame scored, as it is kept beside the report. */
  readonly scores: Buffer;
}

/**
 * Evaluates a version: an action unit detector on what both it and the data set know, an expression classifier on the frames
 * whose class it knows.
 *
 * @throws {ActionUnitMismatchError} @throws {ExpressionMismatchError} @throws {NoLabelledFrameError}
 */
export function reportOn(
  evaluable: EvaluableDetector | EvaluableClassifier,
  options: ReportOptions,
): Promise<EvaluationOutcome> {
  return evaluable.answers === "action_units"
    ? reportOnDetector(evaluable, options)
    : reportOnClassifier(evaluable, options);
}

async function reportOnDetector(
  { actionUnits, card }: EvaluableDetector,
  options: ReportOptions,
): Promise<EvaluationOutcome> {
  const { dataset, frames, spec, onnxPath } = options;
  const shared = sharedActionUnits(
    actionUnits.map(({ actionUnit }) => actionUnit),
    dataset.actionUnits,
  );
  const { probabilities, features } = await predicting(frames, async () => {
    if (card === undefined) return { probabilities: await predictWithBuiltIn(options), features: undefined };
    const { logits, ...rest } = await predictWithVit(pathOf(onnxPath), card.config, options);
    return { probabilities: logits.map((logit) => 1 / (1 + Math.exp(-logit))), ...rest };
  });
  /** Of each frame and shared action unit. */
  const each = <T>(value: (row: number, unit: (typeof shared)[number]) => T): T[] =>
    Array.from(frames.keys()).flatMap((row) => shared.map((unit) => value(row, unit)));
  const scores: FrameScores = {
    frames,
    actionUnits: shared.map(({ actionUnit }) => actionUnit),
    probabilities: Float32Array.from(each((row, { inModel }) => probabilities[row * actionUnits.length + inModel]!)),
    occurrence: Int8Array.from(each((row, { inDataset }) => dataset.samples[frames[row]!]!.occurrence[inDataset]!)),
    subjects: subjectsOf(dataset, frames),
    thresholds: shared.map(({ inModel }) => actionUnits[inModel]!.threshold),
  };
  const report = await withSpan("evaluate", {}, () =>
    evaluate({
      ...scores,
      thresholdOrigins: shared.map(({ inModel }) => actionUnits[inModel]!.thresholdOrigin),
      features: spec.identityLeakage ? features : undefined,
      seed: spec.seed,
      resamples: spec.resamples,
    }),
  );
  return { report, scores: writeFrameScores(scores) };
}

async function reportOnClassifier(
  { card: { config } }: EvaluableClassifier,
  options: ReportOptions,
): Promise<EvaluationOutcome> {
  const { dataset, frames, spec, onnxPath } = options;
  const labels = sharedExpressions(config.expressions, dataset, frames);
  const { logits, features } = await predicting(frames, () => predictWithVit(pathOf(onnxPath), config, options));
  const scores: ExpressionScores = {
    frames,
    expressions: config.expressions,
    logits,
    labels,
    subjects: subjectsOf(dataset, frames),
  };
  const report = await withSpan("evaluate", {}, () =>
    evaluateExpressions({
      ...scores,
      datasetExpressions: dataset.expressions,
      features: spec.identityLeakage ? features : undefined,
      seed: spec.seed,
      resamples: spec.resamples,
    }),
  );
  return { report, scores: writeExpressionScores(scores) };
}

const predicting = <T>({ length }: Uint32Array, predict: () => Promise<T>): Promise<T> =>
  withSpan("predict", { "duchenne.frames": length }, predict);

function pathOf(onnxPath: string | undefined): string {
  if (onnxPath === undefined) throw new TypeError("Expected a trained version to have an ONNX file, it has none");
  return onnxPath;
}

function subjectsOf(dataset: Dataset, frames: Uint32Array): string[] {
  return Array.from(frames, (index) => dataset.samples[index]!.subject);
}
