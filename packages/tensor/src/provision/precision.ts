import { processorFlags } from "@duchenne/provision";
import { findTensorFlow } from "./find-tensorflow.ts";
import type { Accelerator } from "./tensorflow-wheels.ts";

/** With one of these oneDNN multiplies bfloat16; without, TensorFlow does so element by element, far slower than float32. */
const BFLOAT16 = ["avx512f", "avx_ne_convert"];

/** What computes; default: this machine. */
export interface EngineMachine {
  readonly flags?: ReadonlySet<string> | undefined;
  readonly accelerator?: Accelerator | undefined;
}

/** Why the engine is not to be asked for products in bfloat16; undefined: it may be. */
export function bfloat16Refusal({
  flags = processorFlags(),
  accelerator = findTensorFlow()?.accelerator,
}: EngineMachine = {}): string | undefined {
  if (accelerator === "cuda" || BFLOAT16.some((flag) => flags?.has(flag))) return undefined;
  return `this processor has neither ${BFLOAT16.join(" nor ")}, which bfloat16 needs`;
}
