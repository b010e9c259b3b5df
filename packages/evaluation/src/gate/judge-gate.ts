import type { ExpressionComparison } from "../compare-expressions.ts";
import type { PairedComparison } from "../compare-paired.ts";
import type { ScoreComparison } from "../compare-scores.ts";
import type { ExpressionReport } from "../expression-report.ts";
import type { Estimate, EvaluationReport } from "../report.ts";
import { interval } from "../report-parts.ts";
import type { GateFigure, GateLimit } from "./gate-rules.ts";
import { requireOwnRules } from "./require-own-rules.ts";

/** What is found of a limit. "could_not_tell": its interval holds the limit, or there is none. */
export type GateOutcome = "pass" | "fail" | "could_not_tell";

/** What is found of one limit, of one action unit or expression where it is of each. */
export interface GateFinding {
  /** As the gate's text has it, such as "macro_auc.min". */
  readonly rule: string;
  /** Of limits of each action unit. */
  readonly actionUnit?: number | undefined;
  /** Of limits of each expression. */
  readonly expression?: string | undefined;
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

type ComparedLimit = Exclude<GateLimit, { kind: "leakage" }>;
type Comparison = ScoreComparison | ExpressionComparison;

/** What a gate judges by. */
export interface GateEvidence {
  readonly report: EvaluationReport | ExpressionReport;
  /**
   * The comparison of a baseline with the evaluation, of the same kind of model, or why there is none.
   *
   * @param baseline of the evaluation with itself when absent
   */
  comparison(limit: ComparedLimit): Comparison | string;
}

/**
 * Judges an evaluation by the limits of a gate: a limit is kept, or broken, only when the whole interval says so.
 *
 * @throws {InvalidGateError} when rules are of the other kind of model
 */
export function judgeGate(limits: readonly GateLimit[], evidence: GateEvidence): GateResult {
  requireOwnRules(limits, evidence.report);
  const findings = limits.flatMap((limit): GateFinding[] => {
    if (limit.kind === "leakage") return [leakageFinding(limit, evidence.report)];
    const comparison = evidence.comparison(limit);
    const judged: GateFinding[] = pairsOf(limit.figure, evidence.report).map(({ pairIn, ...which }) => ({
      ...(typeof comparison === "string"
        ? finding(limit, comparison)
        : finding(limit, pairIn(comparison), commonNote(comparison))),
      ...which,
    }));
    return typeof comparison === "string" || limit.kind === "min" ? judged : withLost(judged, limit, comparison);
  });
  const has = (outcome: GateOutcome) => findings.some((each) => each.outcome === outcome);
  return { outcome: has("fail") ? "fail" : has("could_not_tell") ? "could_not_tell" : "pass", findings };
}

/** What a limit is of, one by one, and where a comparison has it; in its place, why it has not. */
function pairsOf(
  figure: GateFigure,
  report: GateEvidence["report"],
): {
  readonly actionUnit?: number;
  readonly expression?: string;
  readonly pairIn: (comparison: Comparison) => PairedComparison | string;
}[] {
  switch (figure.of) {
    case "detector":
      return [{ pairIn: (comparison) => ofDetectors(comparison)[figure.name] }];
    case "classifier":
      return [{ pairIn: (comparison) => ofClassifiers(comparison)[figure.name] }];
    case "action_unit":
      return ofDetectors(report).actionUnits.map(({ actionUnit }) => ({
        actionUnit,
        pairIn: (comparison) =>
          ofDetectors(comparison).actionUnits.find((each) => each.actionUnit === actionUnit)?.[figure.name] ??
          "The baseline does not know the action unit",
      }));
    case "expression":
      return ofClassifiers(report)
        .expressions.filter(({ isInDataset }) => isInDataset)
        .map(({ expression }) => ({
          expression,
          pairIn: (comparison) =>
            ofClassifiers(comparison).expressions.find((each) => each.expression === expression)?.[figure.name] ??
            "The baseline does not know the expression",
        }));
  }
}

/**
 * What the baseline answers and the version does not is in no figure of a comparison, and a version must not pass by answering
 * less: of each action unit or expression it is a failure, of a figure of all it leaves the answer open.
 */
function withLost(judged: GateFinding[], limit: ComparedLimit, comparison: Comparison): GateFinding[] {
  const { rule, limit: given, figure, baseline, mayLack } = limit;
  const lost = lostIn(comparison).filter((name) => !mayLack.includes(name));
  if (lost.length === 0) return judged;
  const advice = "name it in may_lack if that is meant";
  switch (figure.of) {
    case "action_unit":
    case "expression":
      return [
        ...judged,
        ...lost.map((name): GateFinding => {
          const which = typeof name === "number" ? { actionUnit: name } : { expression: name };
          const explanation = `${baseline} answers it and the evaluated version does not; ${advice}`;
          return { rule, ...which, outcome: "fail", estimate: {}, limit: 0 - given, explanation };
        }),
      ];
    case "detector":
    case "classifier": {
      const names = lost.map((name) => (typeof name === "number" ? `AU${name}` : name)).join(", ");
      return judged.map((each) => ({
        ...each,
        outcome: each.outcome === "fail" ? "fail" : "could_not_tell",
        explanation: `${each.explanation}. ${baseline} also answers ${names}, which the figure leaves out; ${advice}`,
      }));
    }
  }
}

/** What the first alone answers of what the data set labels. */
function lostIn(comparison: Comparison): readonly (number | string)[] {
  return "actionUnits" in comparison ? comparison.onlyBefore : comparison.lost;
}

/** @throws {TypeError} what is of a classifier */
function ofDetectors<T extends object>(found: T): Extract<T, { readonly actionUnits: unknown }> {
  if (!("actionUnits" in found)) throw new TypeError("Expected what is of a detector, got what is of a classifier");
  return found as Extract<T, { readonly actionUnits: unknown }>;
}

/** @throws {TypeError} what is of a detector */
function ofClassifiers<T extends object>(found: T): Extract<T, { readonly expressions: unknown }> {
  if (!("expressions" in found)) throw new TypeError("Expected what is of a classifier, got what is of a detector");
  return found as Extract<T, { readonly expressions: unknown }>;
}

function finding(
  { kind, rule, limit: given, baseline, confidence }: ComparedLimit,
  pair: PairedComparison | string,
  note = "",
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
      : `from ${interval(pair.before)} of ${baseline} to ${interval(pair.after)}${note}; expected to lose at most ${given} at ${percent}`;
  const found = kind === "min" ? interval(estimate) : `change ${interval(estimate)}`;
  return { rule, outcome, estimate, limit, explanation: `${found}, ${asked}${whyNot(estimate)}` };
}

/** On which of the evaluation's frames a baseline was compared, where that are not all. */
function commonNote({ frames, framesOnlyAfter, subjects }: Comparison): string {
  if (framesOnlyAfter === 0) return "";
  const whose = subjects === 0 ? "" : ` (${subjects} subject${subjects === 1 ? "" : "s"})`;
  return ` on ${frames} of ${frames + framesOnlyAfter} frames${whose}, which both held out`;
}

function leakageFinding(
  { rule, limit: given, isTimesChance }: Extract<GateLimit, { kind: "leakage" }>,
  { identityLeakage }: GateEvidence["report"],
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
