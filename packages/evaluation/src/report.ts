import { z } from "zod";

const estimateSchema = z.object({
  /** On the whole sample; absent when undefined there. */
  value: z.number().optional(),
  lower: z.number().optional(),
  upper: z.number().optional(),
});

/** A value with its 95 % interval. */
export type Estimate = Readonly<z.output<typeof estimateSchema>>;

/** The outcome of an evaluation. Intervals are 95 % intervals of a bootstrap over subjects. */
export const evaluationReportSchema = z.object({
  frames: z.int(),
  subjects: z.int(),
  resamples: z.int(),
  seed: z.int(),
  actionUnits: z.array(
    z.object({
      actionUnit: z.int(),
      /** Frames with a known label. */
      frames: z.int(),
      prevalence: z.number(),
      threshold: z.number(),
      f1: estimateSchema,
      /** F1 of always answering "present". */
      trivialF1: z.number(),
      /** Empty when only one class occurs. */
      auc: estimateSchema,
    }),
  ),
  meanF1: estimateSchema,
  meanTrivialF1: z.number(),
  /**
   * The largest mean F1 that one threshold for all action units reaches on these very frames: how the paper reports F1.
   * It is chosen on the test data and therefore optimistic; as high as meanTrivialF1 means that nothing was learned.
   */
  sweptF1: z.object({ threshold: z.number(), value: z.number() }),
  /** Over the action units that have an AUC. */
  macroAuc: estimateSchema,
  identityLeakage: z
    .object({
      accuracy: estimateSchema,
      chance: z.number(),
      subjects: z.int(),
      trainFrames: z.int(),
      testFrames: z.int(),
    })
    .optional(),
});
/** The outcome of an evaluation. */
export type EvaluationReport = z.output<typeof evaluationReportSchema>;
