/** Metrics of action unit detectors and expression classifiers, with intervals over subjects, and their reports. */

export type { BootstrapOptions } from "./bootstrap.ts";
export { NonFiniteScoreError } from "./check-finite.ts";
export { amongTop, type ClassifiedFrames, meanCrossEntropy, topAccuracy } from "./classification.ts";
export { FramesDifferError, hasSameFrames, NoCommonFrameError, ON_UNSEEN_FRAMES } from "./common-frames.ts";
export {
  checkComparableExpressions,
  compareExpressions,
  type ExpressionComparison,
  NoSharedExpressionError,
} from "./compare-expressions.ts";
export {
  accuracyOf,
  comparePaired,
  macroAucOf,
  type PairedComparison,
  type PairedRun,
  type WeightedFigure,
} from "./compare-paired.ts";
export { checkComparable, compareScores, NoSharedActionUnitError, type ScoreComparison } from "./compare-scores.ts";
export { comparisonDocument } from "./comparison-document.ts";
export { type CrossValidationRun, crossValidate } from "./cross-validation/cross-validate.ts";
export { crossValidationDocument } from "./cross-validation/cross-validation-document.ts";
export {
  CROSS_VALIDATED_FIGURES,
  type CrossValidatedFigure,
  type CrossValidationReport,
  crossValidationReportSchema,
} from "./cross-validation/cross-validation-report.ts";
export { detectorDocument } from "./detector-document.ts";
export { documentToJunit } from "./document-to-junit.ts";
export { documentToMarkdown } from "./document-to-markdown.ts";
export { type EvaluationInput, evaluate } from "./evaluate.ts";
export { type ExpressionEvaluationInput, evaluateExpressions } from "./evaluate-expressions.ts";
export { expressionComparisonDocument } from "./expression-comparison-document.ts";
export { expressionDocument } from "./expression-document.ts";
export { type ExpressionReport, expressionReportSchema } from "./expression-report.ts";
export { type ExpressionScores, readExpressionScores, writeExpressionScores } from "./expression-scores.ts";
export { type FrameScores, readFrameScores, writeFrameScores } from "./frame-scores.ts";
export { PerplexityTooLargeError, perplexityFor } from "./projection/perplexity.ts";
export { DegenerateFeaturesError, type ProjectionInput, projectFeatures } from "./projection/project-features.ts";
export { projectionDocument } from "./projection/projection-document.ts";
export { type ProjectionReport, projectionReportSchema } from "./projection/projection-report.ts";
export { TSNE_STEPS } from "./projection/tsne.ts";
export { type Estimate, type EvaluationReport, evaluationReportSchema, type ReportHead } from "./report.ts";
export type { ReportDocument } from "./report-document.ts";
export { interval, tableLines } from "./report-parts.ts";
export { meanPrevalence, totalConfusion } from "./report-totals.ts";
export { FrameScoresError } from "./stored-scores.ts";
export { chooseThresholds, type ScoredUnits } from "./thresholds.ts";
