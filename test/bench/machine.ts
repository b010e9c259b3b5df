import { readFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";

/** Instruction sets that decide how fast products are. */
const TELLING = ["avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16"];

/** The machine in a line: processor, cores, memory, instruction sets. */
export function describeMachine(): string {
  const flags = new Set(/^flags\s*:\s*(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1]?.split(" "));
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const sets = TELLING.filter((each) => flags.has(each)).join(" ");
  return `${cpus()[0]?.model ?? "unknown processor"}, ${availableParallelism()} cores, ${memory}; ${sets}`;
}
