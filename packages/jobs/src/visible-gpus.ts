/** CUDA's own variable: the devices that a process sees, by number or by name. */
export const VISIBLE_GPUS = "CUDA_VISIBLE_DEVICES";

/** Thrown when a machine is to have more GPUs for jobs than its own process sees. */
export class TooFewGpusError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "TOO_FEW_GPUS";

  constructor(expected: number, visible: string) {
    super(
      `Expected ${VISIBLE_GPUS} to name ${expected} devices, as the resources say gpu=${expected}; it is "${visible}"`,
    );
    this.name = "TooFewGpusError";
  }
}

/**
 * The GPUs that jobs of this machine may use, as CUDA_VISIBLE_DEVICES names them; without that variable the first ones.
 *
 * @param count how many there are for jobs
 * @throws {TooFewGpusError}
 */
export function visibleGpus(count: number, visible = process.env[VISIBLE_GPUS]): readonly string[] {
  if (visible === undefined) return Array.from({ length: count }, (_, i) => String(i));
  const names = visible.split(",").map((name) => name.trim());
  // CUDA sees none from the first on that is no device, such as -1.
  const end = names.findIndex((name) => !/^(\d+|(GPU|MIG)-.+)$/.test(name));
  const seen = end < 0 ? names : names.slice(0, end);
  if (seen.length < count) throw new TooFewGpusError(count, visible);
  return seen.slice(0, count);
}
