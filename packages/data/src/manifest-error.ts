/** A problem of a data set's files. */
export interface ManifestProblem {
  /** Where, such as "manifest.jsonl:12:actionUnits.99". */
  readonly field: string;
  readonly description: string;
}

/** Thrown when a data set's files cannot be used; `violations` lists every problem (at most 100), not just the first. */
export class ManifestError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "INVALID_MANIFEST";
  readonly violations: readonly ManifestProblem[];

  /** @param count all problems, also those not listed */
  constructor(directory: string, violations: readonly ManifestProblem[], count = violations.length) {
    const shown = violations.slice(0, 3).map(({ field, description }) => `${field}: ${description}`);
    const more = count > shown.length ? ` (and ${count - shown.length} more)` : "";
    super(`The data set in ${directory} has ${count} problem(s): ${shown.join("; ")}${more}`);
    this.name = "ManifestError";
    this.violations = violations;
  }
}

/** More than a person reads; a wrong image root would list every frame otherwise. */
const MAX_LISTED = 100;

/** Problems while they are found: reading goes on to find them all. */
export interface ProblemList {
  add(field: string, description: string): void;
  /** All that were added, also those that are not listed. */
  count(): number;
  /** @throws {ManifestError} when there are problems */
  throwIfAny(directory: string): void;
}

/** Starts a list of problems. */
export function createProblemList(): ProblemList {
  const listed: ManifestProblem[] = [];
  let count = 0;
  return {
    add(field, description) {
      count++;
      if (listed.length < MAX_LISTED) listed.push({ field, description });
    },
    count: () => count,
    throwIfAny(directory) {
      if (count > 0) throw new ManifestError(directory, listed, count);
    },
  };
}
