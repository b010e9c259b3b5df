import type { ExpressionReport } from "../expression-report.ts";
import type { EvaluationReport } from "../report.ts";
import { type GateLimit, InvalidGateError } from "./gate-rules.ts";

/** Checks that rules are of the kind of model that a report is of. @throws {InvalidGateError} with every rule that is not */
export function requireOwnRules(limits: readonly GateLimit[], report: EvaluationReport | ExpressionReport): void {
  const isOfClassifier = "expressions" in report;
  const description = isOfClassifier
    ? "Expected rules of an expression classifier, this one is of action unit detectors"
    : "Expected rules of an action unit detector, this one is of expression classifiers";
  const violations = limits.flatMap((limit) =>
    limit.kind === "leakage" || isClassifierRule(limit) === isOfClassifier
      ? []
      : [{ field: `gate.${limit.rule}`, description }],
  );
  if (violations.length > 0) throw new InvalidGateError(violations);
}

const isClassifierRule = ({ figure }: Exclude<GateLimit, { kind: "leakage" }>): boolean =>
  figure.of === "classifier" || figure.of === "expression";
