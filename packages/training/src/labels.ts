import type { Dataset } from "@duchenne/data";

/** What to do with labels that are not known: leave them out, or take them as "absent" as published. */
export type UnknownLabels = "masked" | "negative";

/**
 * The occurrences of some samples, [n * A] in the order of `actionUnits`: 1 occurs, 0 does not, -1 unknown. An action unit
 * that the data set does not label is unknown.
 */
export function occurrenceOf(
  dataset: Pick<Dataset, "actionUnits" | "samples">,
  samples: Uint32Array,
  { actionUnits, unknownLabels }: { readonly actionUnits: readonly number[]; readonly unknownLabels: UnknownLabels },
): Int8Array {
  const columns = actionUnits.map((actionUnit) => dataset.actionUnits.indexOf(actionUnit));
  const occurrence = new Int8Array(samples.length * columns.length);
  for (const [row, index] of samples.entries()) {
    for (const [unit, column] of columns.entries()) {
      const label = column < 0 ? -1 : dataset.samples[index]!.occurrence[column]!;
      occurrence[row * columns.length + unit] = label === -1 && unknownLabels === "negative" ? 0 : label;
    }
  }
  return occurrence;
}

/** The subjects of some samples, as indices. */
export function subjectsOf(dataset: Pick<Dataset, "samples">, samples: Uint32Array): Int32Array {
  return Int32Array.from(samples, (index) => dataset.samples[index]!.subjectIndex);
}
