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

/** Where a threshold comes from: of these, only "validation" was chosen on labelled frames, and on none of the report's. */
const thresholdOriginSchema = z.enum(["convention", "validation", "expert"]);
/** Where a threshold comes from. */
export type ThresholdOrigin = z.output<typeof thresholdOriginSchema>;

/** A figure that stored reports of earlier releases lack. */
export const laterEstimateSchema = estimateSchema.default({});

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
      thresholdOrigin: thresholdOriginSchema.optional(),
      /** At the threshold. */
      f1: estimateSchema,
      f1AtHalf: laterEstimateSchema,
      /** At the report's one swept threshold, chosen on these very frames: optimistic. */
      sweptF1: laterEstimateSchema,
      /** F1 of always answering "present". */
      trivialF1: z.number(),
      /** Empty when only one class occurs. */
      auc: estimateSchema,
      /** Area under the precision-recall curve (PR-AUC); chance is the prevalence. Empty without positives. */
      averagePrecision: laterEstimateSchema,
      /** Expected calibration error over the bins below; empty without known labels. */
      calibrationError: laterEstimateSchema,
      /** Mean squared distance between probability and label; empty without known labels. */
      brierScore: laterEstimateSchema,
      /** Decisions at the threshold. */
      confusion: z
        .object({
          truePositives: z.int(),
          falsePositives: z.int(),
          falseNegatives: z.int(),
          trueNegatives: z.int(),
        })
        .optional(),
      /** The bins (lower, upper] that have frames, the first with 0: how probable it was called, how often it occurred. */
      calibrationBins: z
        .array(
          z.object({
            lower: z.number(),
            upper: z.number(),
            frames: z.int(),
            meanProbability: z.number(),
            occurring: z.number(),
          }),
        )
        .default([]),
    }),
  ),
  /** At the thresholds. */
  meanF1: estimateSchema,
  /** F1 of the decisions of all action units together, at the thresholds. */
  f1Micro: laterEstimateSchema,
  meanF1AtHalf: laterEstimateSchema,
  meanTrivialF1: z.number(),
  /**
   * The largest mean F1 that one threshold for all action units reaches on these very frames: how the paper reports F1.
   * It is chosen on the test data and therefore optimistic; as high as meanTrivialF1 means that nothing was learned. Its
   * interval, like those of the action units, chooses the threshold anew in every resample, for that is what the figure is;
   * earlier releases gave none.
   */
  sweptF1: estimateSchema.extend({ threshold: z.number(), value: z.number() }),
  /** Over the action units that have an AUC. */
  macroAuc: estimateSchema,
  /** Over the action units that have one. */
  macroAveragePrecision: laterEstimateSchema,
  meanCalibrationError: laterEstimateSchema,
  meanBrierScore: laterEstimateSchema,
});
/** The outcome of an action unit detector's evaluation. */
export type EvaluationReport = z.output<typeof evaluationReportSchema>;
