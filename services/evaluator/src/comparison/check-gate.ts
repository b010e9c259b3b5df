import type { MessageInitShape } from "@bufbuild/protobuf";
import { resolveVersion, versionName } from "@duchenne/control";
import { NoCommonFrameError } from "@duchenne/evaluation";
import {
  type GateLimit,
  type GateOutcome,
  gateJunit,
  gateMarkdown,
  judgeGate,
  parseGate,
  requireOwnRules,
} from "@duchenne/evaluation/gate";
import { type CheckGateRequest, type GateCheckSchema, GateOutcome as GateOutcomeMessage } from "@duchenne/proto";
import { type ModelVersionRecord, NotFoundError, type Store } from "@duchenne/store";
import { estimateMessage } from "../convert.ts";
import { evaluableVersion } from "../evaluable-version.ts";
import type { Comparer, FoundComparison } from "./compare-in-thread.ts";
import {
  type ComparablePair,
  ModelKindsDifferError,
  requireComparable,
  type ScoredEvaluation,
  scoredEvaluation,
  scoredRecord,
} from "./scored-evaluation.ts";

/** Thrown when a version that a gate compares with has no evaluation on the same part of the data set. */
class BaselineNotEvaluatedError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "BASELINE_NOT_EVALUATED";
  readonly metadata: Readonly<Record<string, string>>;

  constructor(modelVersion: string, { record, split }: ScoredEvaluation) {
    const part = split === "all" ? "all frames" : "the held-out part";
    super(`Expected an evaluation of ${modelVersion} on ${part} of ${record.dataset}; evaluate it first`);
    this.name = "BaselineNotEvaluatedError";
    this.metadata = { model_version: modelVersion };
  }
}

/** Judges an evaluation by a gate, with the seed and as many resamples as its report. */
export async function checkGate(
  store: Store,
  compare: Comparer,
  request: CheckGateRequest,
  signal: AbortSignal,
): Promise<MessageInitShape<typeof GateCheckSchema>> {
  const limits = parseGate(request.gate);
  const candidate = await scoredEvaluation(store, request.evaluation, "evaluation");
  requireOwnRules(limits, candidate.report);
  const { seed, resamples } = candidate.report;
  const keyOf = ({ baseline, confidence }: ComparingLimit) => `${baseline} ${confidence}`;
  const comparisons = new Map<string, FoundComparison | string>();
  // What is missing is told before anything is computed.
  const found = new Map<string, { readonly limit: ComparingLimit; readonly pair: ComparablePair }>();
  for (const limit of limits) {
    if (limit.kind === "leakage") continue;
    const pair = await pairOf(store, limit.baseline, candidate);
    if (typeof pair === "string") comparisons.set(keyOf(limit), pair);
    else found.set(keyOf(limit), { limit, pair });
  }
  for (const [key, { limit, pair }] of found) {
    const options = { seed, resamples, confidence: limit.confidence };
    comparisons.set(key, await compare(pair.task(options), signal));
  }
  const result = judgeGate(limits, {
    report: candidate.report,
    comparison: (limit) => comparisons.get(keyOf(limit))!,
  });
  const title = `${candidate.record.modelVersion} on ${candidate.record.dataset}`;
  return {
    evaluation: candidate.name,
    outcome: OUTCOMES[result.outcome],
    findings: result.findings.map(({ rule, actionUnit, expression = "", outcome, estimate, limit, explanation }) => ({
      rule,
      ...(actionUnit !== undefined && { actionUnit }),
      expression,
      outcome: OUTCOMES[outcome],
      estimate: estimateMessage(estimate),
      limit,
      explanation,
    })),
    markdown: gateMarkdown(result, title),
    junitXml: gateJunit(result, title),
  };
}

type ComparingLimit = Exclude<GateLimit, { kind: "leakage" }>;

const OUTCOMES: Readonly<Record<GateOutcome, GateOutcomeMessage>> = {
  pass: GateOutcomeMessage.PASS,
  fail: GateOutcomeMessage.FAIL,
  could_not_tell: GateOutcomeMessage.COULD_NOT_TELL,
};

/** What a limit compares; the evaluation with itself without a baseline. In its place, why it cannot be told. */
async function pairOf(
  store: Store,
  baseline: string | undefined,
  candidate: ScoredEvaluation,
): Promise<ComparablePair | string> {
  const before = baseline === undefined ? candidate : await baselineOf(store, baseline, candidate);
  if (typeof before === "string") return before;
  try {
    return requireComparable(before, candidate);
  } catch (error) {
    // Who is held out is chance: a gate that runs every night must not break by it.
    if (error instanceof NoCommonFrameError) return `${before.name} of ${before.record.modelVersion}: ${error.message}`;
    throw error;
  }
}

/** The evaluation that a baseline names. Before the first promotion there is none: then why. */
async function baselineOf(
  store: Store,
  baseline: string,
  candidate: ScoredEvaluation,
): Promise<ScoredEvaluation | string> {
  if (baseline.startsWith("evaluations/")) return scoredEvaluation(store, baseline, "gate");
  let version: ModelVersionRecord;
  try {
    version = await resolveVersion(store, baseline, "gate");
  } catch (error) {
    if (error instanceof NotFoundError && error.reason === "ALIAS_NOT_FOUND") return `${baseline} points at no version`;
    throw error;
  }
  const modelVersion = versionName(version.model, version.version);
  const { record, split, datasetDigest } = candidate;
  if (modelVersion === record.modelVersion) return candidate;
  // One of the other kind is told now: evaluating it first would be refused, or be in vain.
  const { answers } = evaluableVersion(version, "gate");
  if (answers !== candidate.answers) throw new ModelKindsDifferError({ name: modelVersion, answers }, candidate);
  for (const each of await store.evaluations.listScored(modelVersion, record.dataset)) {
    if (each.report.split === split && each.report.datasetDigest === datasetDigest) return scoredRecord(store, each);
  }
  throw new BaselineNotEvaluatedError(modelVersion, candidate);
}
