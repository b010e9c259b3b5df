import { rawOp } from "../raw-op.ts";
import type { TensorFlow } from "../tensorflow.ts";

/** What the loops of the fused kernels are compiled for; "baseline" is what every processor of the architecture has. */
export const INSTRUCTION_SETS = ["baseline", "avx2", "avx512"] as const;
/** One of them. */
export type InstructionSet = (typeof INSTRUCTION_SETS)[number];

/** The instruction sets of this processor, the narrowest first, and the one in use: the widest, unless another was chosen. */
export function instructionSets(tf: TensorFlow): {
  readonly available: readonly InstructionSet[];
  readonly chosen: InstructionSet;
} {
  return run(tf, "");
}

/**
 * Runs a function with the loops of an instruction set: to compare and to test. The choice is the process's, that of other
 * threads too. Synchronous.
 *
 * @throws {TensorFlowError} "invalid_argument" when the processor lacks it
 */
export function withInstructionSet<R>(tf: TensorFlow, instructionSet: InstructionSet, body: () => R): R {
  const before = instructionSets(tf).chosen;
  run(tf, instructionSet);
  try {
    return body();
  } finally {
    run(tf, before);
  }
}

function run(tf: TensorFlow, choose: InstructionSet | "") {
  const tensors = rawOp(tf, "DuchenneInstructionSet", [], { choose }, 2);
  const [available = [], chosen = []] = tensors.map((names) => names.dataSync<"string">().map(instructionSetFrom));
  tf.dispose(tensors);
  return { available, chosen: chosen[0]! };
}

function instructionSetFrom(name: string): InstructionSet {
  const known = INSTRUCTION_SETS.find((each) => each === name);
  if (known === undefined) throw new RangeError(`Expected one of ${INSTRUCTION_SETS.join(", ")}, got "${name}"`);
  return known;
}
