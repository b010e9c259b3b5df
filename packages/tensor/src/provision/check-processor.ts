import { ProvisionError, processorFlags } from "@duchenne/provision";

/** What the pinned TensorFlow was compiled to use: without one of these it would end the process when it is loaded. */
const NEEDED = ["avx", "sse4_2"];

/**
 * Asked before TensorFlow is downloaded and loaded; where nothing tells of the processor, nothing is checked.
 *
 * @throws {ProvisionError} when the processor lacks instructions
 */
export function checkProcessor(flags = processorFlags()): void {
  if (flags === undefined) return;
  const missing = NEEDED.filter((flag) => !flags.has(flag));
  if (missing.length === 0) return;
  throw new ProvisionError(
    "TENSORFLOW_UNAVAILABLE",
    `This processor lacks the instructions ${missing.join(" and ")}, which TensorFlow was compiled to use.`,
    "Train on another machine, or let the virtual machine see its host's processor; detection works without.",
  );
}
