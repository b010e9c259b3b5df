import { ConnectError } from "@connectrpc/connect";
import type { DuchenneClient } from "@duchenne/client";
import { parseGate } from "@duchenne/evaluation/gate";
import { type GateCheck, GateOutcome } from "@duchenne/proto";
import { ErrorInfoSchema } from "@duchenne/proto/rpc";

/** How `duchenne evaluate` ends when what it was asked for could not be done: apart from what a gate finds. */
export const NOT_DONE = 3;

/** How `duchenne evaluate --gate` ends: 0, 1 or 2. */
export function exitCodeOf({ outcome }: GateCheck): number {
  switch (outcome) {
    case GateOutcome.PASS:
      return 0;
    case GateOutcome.FAIL:
      return 1;
    case GateOutcome.COULD_NOT_TELL:
      return 2;
    default:
      throw new Error("Expected the outcome of a gate, got none");
  }
}

/** True when a gate has a limit of identity leakage, which is measured only when asked for. @throws {InvalidGateError} */
export function measuresIdentity(gate: string): boolean {
  return parseGate(gate).some(({ kind }) => kind === "leakage");
}

/**
 * What a gate finds of an evaluation. Versions that it compares with and that have no evaluation yet are evaluated.
 *
 * @param evaluate evaluates a version on the same part of the same data set
 */
export async function checkGate(
  { evaluator }: DuchenneClient,
  request: { readonly evaluation: string; readonly gate: string },
  evaluate: (modelVersion: string) => Promise<unknown>,
): Promise<GateCheck> {
  const evaluated = new Set<string>();
  for (;;) {
    try {
      return await evaluator.checkGate(request);
    } catch (error) {
      const missing = baselineToEvaluate(error);
      if (missing === undefined || evaluated.has(missing)) throw error;
      evaluated.add(missing);
      await evaluate(missing);
    }
  }
}

function baselineToEvaluate(error: unknown): string | undefined {
  if (!(error instanceof ConnectError)) return undefined;
  const [info] = error.findDetails(ErrorInfoSchema);
  return info?.reason === "BASELINE_NOT_EVALUATED" ? info.metadata.model_version : undefined;
}
