/** Gates: rules that an evaluation is judged by. */
export { gateJunit, gateMarkdown } from "./gate-report.ts";
export { type GateLimit, InvalidGateError, parseGate } from "./gate-rules.ts";
export { type GateEvidence, type GateFinding, type GateOutcome, type GateResult, judgeGate } from "./judge-gate.ts";
export { requireOwnRules } from "./require-own-rules.ts";
