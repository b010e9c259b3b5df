import { z } from "zod";
import { PARTITIONS } from "../dataset.ts";
import type { ProblemList } from "../manifest-error.ts";
import type { DatasetConfiguration } from "./dataset-configuration.ts";

/** One line of a manifest, as JSON or as a row of a table. */
export const manifestLineSchema = z.object({
  image: z.string().min(1),
  subject: z.string().min(1).nullish(),
  /** By FACS number; null, 9 and 999 are unknown. */
  actionUnits: z.record(z.string(), z.number().nullable()).optional(),
  /** Name of a class; null is unknown. */
  expression: z.string().min(1).nullish(),
  partition: z.enum(PARTITIONS).nullish(),
  /** Fold that the subject is tested in, from 1. */
  fold: z.int().min(1).max(1000).nullish(),
  box: z
    .object({
      left: z.number(),
      top: z.number(),
      width: z.number().positive(),
      height: z.number().positive(),
    })
    .optional(),
});
/** One line of a manifest. */
export type ManifestLine = z.output<typeof manifestLineSchema>;

/** Codes of "cannot tell": 9 in BP4D's tables, 999 in derived ones. */
const UNKNOWN_CODES: ReadonlySet<number> = new Set([9, 999]);

/**
 * The numbers of a line in the order of the data set's action units, NaN where it is unknown or not named.
 * What cannot be a label is a problem.
 */
export function labelsFromLine(
  { actionUnits: named }: ManifestLine,
  { actionUnits, labels }: DatasetConfiguration,
  where: string,
  problems: ProblemList,
): Float32Array {
  const values = new Float32Array(actionUnits.length).fill(Number.NaN);
  if (named === undefined && actionUnits.length > 0) {
    problems.add(`${where}:actionUnits`, "Expected the numbers of action units, got none", "label");
  }
  for (const [key, value] of Object.entries(named ?? {})) {
    const field = `${where}:actionUnits.${key}`;
    const unit = /^[1-9]\d*$/.test(key) ? actionUnits.indexOf(Number(key)) : -1;
    if (unit < 0) {
      const known = actionUnits.join(", ") || "none";
      problems.add(field, `Unknown action unit "${key}"; the data set has ${known}`, "actionUnit");
    } else if (value === null || UNKNOWN_CODES.has(value)) {
      // Stays NaN.
    } else if (labels === "occurrence" ? value === 0 || value === 1 : value >= 0 && value <= 5) {
      values[unit] = value;
    } else {
      const expected = labels === "occurrence" ? "0 or 1" : "an intensity of 0..5";
      problems.add(field, `Expected ${expected}, or null, 9 or 999 for unknown, got ${value}`, "label");
    }
  }
  return values;
}
