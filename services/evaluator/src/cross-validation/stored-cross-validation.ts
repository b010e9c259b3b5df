import { crossValidationReportSchema } from "@duchenne/evaluation";
import { z } from "zod";

/** What the store keeps as a cross-validation's report. */
export const storedCrossValidationSchema = crossValidationReportSchema.extend({
  datasetDigest: z.string(),
  runs: z.array(
    crossValidationReportSchema.shape.runs.element.extend({
      /** "jobs/{job}". */
      training: z.string(),
      /** "evaluations/{evaluation}". */
      evaluation: z.string(),
      /** "models/{model}/versions/{version}". */
      modelVersion: z.string(),
    }),
  ),
});
/** What the store keeps as a cross-validation's report. */
export type StoredCrossValidation = z.output<typeof storedCrossValidationSchema>;
