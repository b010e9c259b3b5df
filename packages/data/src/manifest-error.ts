/** What problems of a data set's files are about, and how many of a kind are called. */
const PROBLEM_KINDS = {
  missingFile: "missing files",
  actionUnit: "unknown action units",
  label: "labels that cannot be",
  subject: "missing or unknown subjects",
  duplicate: "duplicates",
  leak: "subjects in two parts or folds",
  other: "others",
} as const;
/** What a problem is about. */
export type ProblemKind = keyof typeof PROBLEM_KINDS;

/** A problem of a data set's files. */
export interface ManifestProblem {
  /** Where, such as "manifest.jsonl:12:actionUnits.99". */
  readonly field: string;
  readonly description: string;
}

/** How many problems there are of each kind. */
type ProblemCounts = ReadonlyMap<ProblemKind, number>;

/**
 * Thrown when a data set's files cannot be used; `violations` lists every problem (at most 100), not just the first. Its message
 * says how many there are of each kind, also of those that are not listed.
 */
export class ManifestError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "INVALID_MANIFEST";
  readonly violations: readonly ManifestProblem[];
  /** `problems`: how many there are, for programs that ask for those that are not listed. */
  readonly metadata: { readonly problems: string };

  /** @param counts of all problems, also those not listed */
  constructor(directory: string, violations: readonly ManifestProblem[], counts: ProblemCounts) {
    const shown = violations.slice(0, 3).map(({ field, description }) => `${field}: ${description}`);
    const count = sum(counts);
    const more = count > shown.length ? ` (and ${count - shown.length} more)` : "";
    const kinds = count > shown.length ? ` (${toldCounts(counts)})` : "";
    super(`The data set in ${directory} has ${count} problem(s)${kinds}: ${shown.join("; ")}${more}`);
    this.name = "ManifestError";
    this.violations = violations;
    this.metadata = { problems: String(count) };
  }
}

/** More than a person reads; a wrong image root would list every frame otherwise. */
const MAX_LISTED = 100;

/** Problems while they are found: reading goes on to find them all. */
export interface ProblemList {
  /** @param kind by which it is counted where it is not listed */
  add(field: string, description: string, kind?: ProblemKind): void;
  /** All that were added, also those that are not listed. */
  count(): number;
  /** @throws {ManifestError} when there are problems */
  throwIfAny(directory: string): void;
}

/** Starts a list of problems. @param skip so many are counted and not listed, for they were listed before */
export function createProblemList(skip = 0): ProblemList {
  const listed: ManifestProblem[] = [];
  const counts = new Map<ProblemKind, number>();
  return {
    add(field, description, kind = "other") {
      if (sum(counts) >= skip && listed.length < MAX_LISTED) listed.push({ field, description });
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    },
    count: () => sum(counts),
    throwIfAny(directory) {
      if (counts.size > 0) throw new ManifestError(directory, listed, counts);
    },
  };
}

const sum = (counts: ProblemCounts): number => [...counts.values()].reduce((all, count) => all + count, 0);

/** Such as "4300 missing files, 21 duplicates", the most first. */
function toldCounts(counts: ProblemCounts): string {
  const most = [...counts].sort(([, a], [, b]) => b - a);
  return most.map(([kind, count]) => `${count} ${PROBLEM_KINDS[kind]}`).join(", ");
}
