import { processorFlags } from "@duchenne/provision";
import type { InferenceSession } from "onnxruntime-node";

/** With one of these, unsigned bytes times signed ones add up in 32 bits. */
const EXACT_BYTE_PRODUCTS = ["avx512_vnni", "avx_vnni", "amx_int8"];

/**
 * How sessions of trained models are made, also by who times ONNX Runtime beside the engine. Integers add up exactly on
 * every processor: the fast instruction of those without VNNI and AMX cuts sums off at 16 bits, so there ONNX Runtime is told
 * to take a slower one. On others it must not be told: it would not use what they have.
 *
 * @param threads threads of the session
 * @param flags what the processor has; default: this one; undefined: it is not known
 */
export function sessionOptions(
  threads: number,
  flags: ReadonlySet<string> | undefined = processorFlags(),
): InferenceSession.SessionOptions {
  const isExact = EXACT_BYTE_PRODUCTS.some((flag) => flags?.has(flag));
  return {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    ...(!isExact && { extra: { session: { x64quantprecision: "1" } } }),
  };
}
