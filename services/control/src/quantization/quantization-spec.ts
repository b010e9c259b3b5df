import { RANGE_METHODS } from "@duchenne/model";
import { z } from "zod";

/** What a quantisation job is made from. */
export const quantizationSpecSchema = z.object({
  /** "models/{model}/versions/{version}", resolved. */
  modelVersion: z.string(),
  /** "models/{model}" that gets the version in int8. */
  model: z.string(),
  /** "datasets/{dataset}". */
  dataset: z.string(),
  calibrationFrames: z.int(),
  checkFrames: z.int(),
  rangeMethod: z.enum(RANGE_METHODS),
  maxMeanDifference: z.number(),
  seed: z.int(),
});
/** What a quantisation job is made from. */
export type QuantizationSpec = z.output<typeof quantizationSpecSchema>;
