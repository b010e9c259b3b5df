/** The evaluator: evaluations as jobs, and their reports. */
export { type EvaluatorConfig, evaluatorShape } from "./config.ts";
export { createEvaluator } from "./create-evaluator.ts";
