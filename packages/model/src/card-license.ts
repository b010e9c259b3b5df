import { z } from "zod";

/** What stands where nobody stated a licence. It is no licence: whoever gives the model on has to ask. */
export const UNKNOWN_LICENSE = "unknown";

/** A licence that a version stands under, for what it was made from. */
export const cardLicenseSchema = z.object({
  /** What it is of: "datasets/{dataset}", "models/{model}/versions/{version}", or the name of an imported file. */
  source: z.string(),
  /** sha256 of that, by which it is known when its name is gone; absent when it is not known. */
  digest: z.string().optional(),
  /** Word for word what whoever registered or imported it stated, or "unknown". */
  license: z.string(),
  /** The version that it came with, which was started from, learned from or quantised; absent of what was read itself. */
  through: z.string().optional(),
});
/** A licence that a version stands under. */
export type CardLicense = z.output<typeof cardLicenseSchema>;
