/** Metrics of action unit predictions, with intervals over subjects, and their reports. */
export { type ClassifiedFrames, meanCrossEntropy, topAccuracy } from "./classification.ts";
export { type EvaluationInput, evaluate } from "./evaluate.ts";
export { reportToMarkdown } from "./markdown.ts";
export { type Estimate, type EvaluationReport, evaluationReportSchema } from "./report.ts";
export { chooseThresholds, type ScoredUnits } from "./thresholds.ts";
