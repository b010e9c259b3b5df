import { z } from "zod";

/** A value with its 95 % interval. */
export const estimateSchema = z.object({
  /** On the whole sample; absent when undefined there. */
  value: z.number().optional(),
  lower: z.number().optional(),
  upper: z.number().optional(),
});

/** A value with its 95 % interval. */
export type Estimate = Readonly<z.output<typeof estimateSchema>>;

/** What every report holds. Intervals are 95 % intervals of a bootstrap. */
export const reportHead = {
  frames: z.int(),
  /** 0 when they are not known. */
  subjects: z.int(),
  /** What the bootstrap draws: subjects, or frames where no subject is known. */
  intervalsOver: z.enum(["subjects", "frames"]).default("subjects"),
  resamples: z.int(),
  seed: z.int(),
  identityLeakage: z
    .object({
      accuracy: estimateSchema,
      chance: z.number(),
      subjects: z.int(),
      trainFrames: z.int(),
      testFrames: z.int(),
    })
    .optional(),
};
/** What every report holds. */
export type ReportHead = z.output<z.ZodObject<typeof reportHead>>;

/** The outcome of an action unit detector's evaluation. */
export const evaluationReportSchema = z.object({
  ...reportHead,
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
});
/** The outcome of an action unit detector's evaluation. */
export type EvaluationReport = z.output<typeof evaluationReportSchema>;
