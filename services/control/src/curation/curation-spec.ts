import { curationOptionsSchema } from "@duchenne/data";
import { z } from "zod";

/** What a curation job is made from. */
export const curationSpecSchema = z.object({
  /** "datasets/{dataset}". */
  dataset: z.string(),
  /** The folder of pictures and videos, absolute. */
  directory: z.string(),
  /** What it is; empty for how it was made. */
  description: z.string(),
  /** What is known of its licence; empty: nothing. */
  license: z.string().default(""),
  curation: curationOptionsSchema,
});
/** What a curation job is made from. */
export type CurationSpec = z.output<typeof curationSpecSchema>;
