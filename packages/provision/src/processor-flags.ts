import { existsSync, readFileSync } from "node:fs";

/**
 * The instructions that the processor has, as Linux names them; undefined where nothing tells.
 *
 * @param description Linux's /proc/cpuinfo
 */
export function processorFlags(description = readDescription()): ReadonlySet<string> | undefined {
  const flags = /^flags\s*:(.*)$/m.exec(description)?.[1];
  return flags === undefined ? undefined : new Set(flags.trim().split(/\s+/));
}

function readDescription(): string {
  return existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "utf8") : "";
}
