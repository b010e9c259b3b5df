import { z } from "zod";
import { estimateSchema, evaluationReportSchema, reportHead } from "../report.ts";

/** The figures that are told of every run, action unit and mean. */
export const CROSS_VALIDATED_FIGURES = [
  "f1",
  "f1AtHalf",
  "sweptF1",
  "auc",
  "averagePrecision",
  "calibrationError",
  "brierScore",
] as const;
/** The name of such a figure. */
export type CrossValidatedFigureName = (typeof CROSS_VALIDATED_FIGURES)[number];

/** For each figure the same. */
const ofEach = <T extends z.ZodType>(schema: T) => ({
  /** At the thresholds of each version, which its training chose on its validation subjects where it had any. */
  f1: schema,
  f1AtHalf: schema,
  /** At the one threshold that fits the very frames best, as the paper reports F1: optimistic. */
  sweptF1: schema,
  auc: schema,
  averagePrecision: schema,
  calibrationError: schema,
  brierScore: schema,
});

/** A figure of several runs. */
export const crossValidatedFigureSchema = z.object({
  /** Over the runs that have it. */
  mean: z.number().optional(),
  /** Standard deviation over folds, each the mean of its seeds; absent with fewer than two. */
  foldDeviation: z.number().optional(),
  /** Standard deviation over seeds, each the mean of its folds; absent with fewer than two. */
  seedDeviation: z.number().optional(),
  /**
   * Of the held-out frames of all folds together, mean over seeds, with the interval of a bootstrap over subjects. Of a swept
   * F1 the threshold is chosen anew in every resample; earlier releases gave it no interval.
   */
  pooled: estimateSchema,
});
/** A figure of several runs. */
export type CrossValidatedFigure = Readonly<z.output<typeof crossValidatedFigureSchema>>;

/** What a cross-validation found. `frames` and `subjects` are those that a seed held out in all its folds. */
export const crossValidationReportSchema = z.object({
  ...reportHead,
  folds: z.int(),
  seeds: z.array(z.int()),
  /** Means over action units. */
  mean: z.object({
    ...ofEach(crossValidatedFigureSchema),
    /** Of the decisions of all action units together. */
    f1Micro: crossValidatedFigureSchema,
    /** F1 of always answering "present", on the frames of all folds. */
    trivialF1: z.number(),
  }),
  actionUnits: z.array(
    z.object({
      actionUnit: z.int(),
      /** Frames with a known label, in all folds. */
      frames: z.int(),
      prevalence: z.number(),
      trivialF1: z.number(),
      ...ofEach(crossValidatedFigureSchema),
    }),
  ),
  /** The folds of the first seed, then those of the next. */
  runs: z.array(
    z.object({
      /** From 1. */
      fold: z.int(),
      seed: z.int(),
      frames: z.int(),
      subjects: z.int(),
      /** The threshold of its swept F1. */
      sweptThreshold: z.number(),
      /** Means over action units; absent what is undefined. */
      mean: z.object({ ...ofEach(z.number().optional()), f1Micro: z.number().optional() }),
      /** In the order of the action units above. */
      actionUnits: z.array(z.object(ofEach(z.number().optional()))),
      identityLeakage: evaluationReportSchema.shape.identityLeakage,
    }),
  ),
});
/** What a cross-validation found. */
export type CrossValidationReport = z.output<typeof crossValidationReportSchema>;
