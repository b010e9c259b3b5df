import type { PairedComparison } from "../compare-paired.ts";
import type { ScoreComparison } from "../compare-scores.ts";
import type { Estimate, EvaluationReport } from "../report.ts";
import { interval } from "../report-parts.ts";
import type { GateLimit } from "./gate-rules.ts";

/** What is found of a limit. "could_not_tell": its interval holds the limit, or there is none. */
export type GateOutcome = "pass" | "fail" | "could_not_tell";

/** What is found of one limit, of one action unit where it is of each. */
export interface GateFinding {
  /** As the gate's text has it, such as "macro_auc.min". */
  readonly rule: string;
  /** Absent of means. */
  readonly actionUnit?: number | undefined;
  readonly outcome: GateOutcome;
  /** What was compared with the limit: the figure, or its change. Empty where it is undefined. */
  readonly estimate: Estimate;
  /** The least that the estimate may be; of identity leakage the most. */
  readonly limit: number;
  /** What was asked, what was found, and where from. */
  readonly explanation: string;
}

/** What a gate finds. */
export interface GateResult {
  /** "fail" when anything fails; else "could_not_tell" when of anything it could not be told. */
  readonly outcome: GateOutcome;
  readonly findings: readonly GateFinding[];
}

/** What a gate judges by. */
export interface GateEvidence {
  readonly report: EvaluationReport;
  /**
   * The comparison of a baseline with the evaluation, or why there is none.
   *
   * @param baseline of the evaluation with itself when absent
   */
  comparison(limit: Extract<GateLimit, { kind: "min" | "loss" }>): ScoreComparison | string;
}

/** Judges an evaluation by the limits of a gate: a limit is kept, or broken, only when the whole interval says so. */
export function judgeGate(limits: readonly GateLimit[], evidence: GateEvidence): GateResult {
  const findings = limits.flatMap((limit): GateFinding[] => {
    if (limit.kind === "leakage") return [leakageFinding(limit, evidence.report)];
    const comparison = evidence.comparison(limit);
    if (limit.figure === "macroAuc" || limit.figure === "meanF1") {
      return [finding(limit, typeof comparison === "string" ? comparison : comparison[limit.figure])];
    }
    const { figure } = limit;
    return evidence.report.actionUnits.map(({ actionUnit }) => {
      if (typeof comparison === "string") return { ...finding(limit, comparison), actionUnit };
      const unit = comparison.actionUnits.find((each) => each.actionUnit === actionUnit);
      return { ...finding(limit, unit?.[figure] ?? "The baseline does not know the action unit"), actionUnit };
    });
  });
  const has = (outcome: GateOutcome) => findings.some((each) => each.outcome === outcome);
  return { outcome: has("fail") ? "fail" : has("could_not_tell") ? "could_not_tell" : "pass", findings };
}

function finding(
  { kind, rule, limit: given, baseline, confidence }: Extract<GateLimit, { kind: "min" | "loss" }>,
  pair: PairedComparison | string,
): GateFinding {
  const limit = kind === "min" ? given : 0 - given;
  if (typeof pair === "string") return { rule, outcome: "could_not_tell", estimate: {}, limit, explanation: pair };
  const estimate = kind === "min" ? pair.after : pair.change;
  const { lower, upper } = estimate;
  const isTold = lower !== undefined && upper !== undefined;
  const outcome = isTold && lower >= limit ? "pass" : isTold && upper < limit ? "fail" : "could_not_tell";
  const percent = `${+(100 * confidence).toFixed(2)} %`;
  const asked =
    kind === "min"
      ? `expected at least ${limit} at ${percent}`
      : `from ${interval(pair.before)} of ${baseline} to ${interval(pair.after)}; expected to lose at most ${given} at ${percent}`;
  const found = kind === "min" ? interval(estimate) : `change ${interval(estimate)}`;
  return { rule, outcome, estimate, limit, explanation: `${found}, ${asked}${whyNot(estimate)}` };
}

function leakageFinding(
  { rule, limit: given, isTimesChance }: Extract<GateLimit, { kind: "leakage" }>,
  { identityLeakage }: EvaluationReport,
): GateFinding {
  if (identityLeakage === undefined) {
    const explanation = "Identity leakage was not measured; evaluate with it";
    return { rule, outcome: "could_not_tell", estimate: {}, limit: given, explanation };
  }
  const { accuracy, chance } = identityLeakage;
  const limit = isTimesChance ? given * chance : given;
  const { lower, upper } = accuracy;
  const isTold = lower !== undefined && upper !== undefined;
  const outcome = isTold && upper <= limit ? "pass" : isTold && lower > limit ? "fail" : "could_not_tell";
  const times = isTimesChance ? ` (${given} times chance)` : "";
  const explanation = `${interval(accuracy)}, expected at most ${+limit.toFixed(4)}${times} at 95 %${whyNot(accuracy)}`;
  return { rule, outcome, estimate: accuracy, limit, explanation };
}

/** Why an estimate tells nothing, whatever the limit. */
function whyNot({ value, lower }: Estimate): string {
  if (value === undefined) return ". It is undefined on these frames";
  return lower === undefined ? ". There is no interval: it takes two subjects" : "";
}
