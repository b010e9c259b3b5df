/** Metrics of action unit predictions, with intervals over subjects, and their reports. */
export { type EvaluationInput, evaluate } from "./evaluate.ts";
export { reportToMarkdown } from "./markdown.ts";
export { type Estimate, type EvaluationReport, evaluationReportSchema } from "./report.ts";
