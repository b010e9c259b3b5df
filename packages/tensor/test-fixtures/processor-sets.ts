import { processorFlags } from "@duchenne/provision";
import { INSTRUCTION_SETS, type InstructionSet } from "../src/fused/instruction-set.ts";

/** What Linux says a processor has when it can run the loops of an instruction set (native/kernels/loops/*.cc). */
const NEEDED: Readonly<Record<InstructionSet, readonly string[]>> = {
  baseline: [],
  avx2: ["avx2", "fma"],
  avx512: ["avx512f", "avx512bw", "avx512dq", "avx512vl"],
};

/** The instruction sets of this processor by what Linux says of it, which is not how the kernels find out. */
export function instructionSetsOf(flags = processorFlags()): readonly InstructionSet[] {
  return INSTRUCTION_SETS.filter((set) => NEEDED[set].every((flag) => flags?.has(flag)));
}
