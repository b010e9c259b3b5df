import type { ProblemList } from "../manifest-error.ts";
import type { ManifestLine } from "./manifest-line.ts";

/** A line of a manifest and its place, such as "manifest.jsonl:12". */
export interface PlacedLine {
  readonly where: string;
  readonly value: ManifestLine;
}

const PARTS = { train: "training", test: "test" } as const;

/** Tells of subjects that lines put into the training and the test part, with a line of each. */
export function tellOfSharedParts(lines: readonly PlacedLine[], problems: ProblemList): void {
  tellOfLeaks(lines, problems, "partition", ({ partition }) =>
    partition == null ? partition : `the ${PARTS[partition]} part`,
  );
}

/** Tells of subjects that lines put into several folds, with a line of each. */
export function tellOfSharedFolds(lines: readonly PlacedLine[], problems: ProblemList): void {
  tellOfLeaks(lines, problems, "fold", ({ fold }) => (fold == null ? fold : `fold ${fold}`));
}

/** @param groupOf what a line puts its subject into; each subject belongs into one */
function tellOfLeaks(
  lines: readonly PlacedLine[],
  problems: ProblemList,
  field: "partition" | "fold",
  groupOf: (line: ManifestLine) => string | null | undefined,
): void {
  /** By subject: the first line of each group. */
  const placesOf = new Map<string, Map<string, string>>();
  for (const { where, value } of lines) {
    const group = groupOf(value);
    if (value.subject == null || group == null) continue;
    const places = placesOf.get(value.subject) ?? new Map<string, string>();
    placesOf.set(value.subject, places);
    if (places.has(group)) continue;
    const line = where.slice(where.lastIndexOf(":") + 1);
    for (const [other, otherLine] of [...places].slice(0, 1)) {
      const both = `in ${group} (line ${line}) and in ${other} (line ${otherLine})`;
      const rule = field === "fold" ? "one fold" : "one part";
      problems.add(`${where}:${field}`, `Expected each subject in ${rule}, "${value.subject}" is ${both}`, "leak");
    }
    places.set(group, line);
  }
}
