import { z } from "zod";
import { estimateSchema, reportHead } from "../report.ts";

/** What share of the nearest neighbours is alike. */
const neighbourShareSchema = z.object({
  /** Frames whose neighbours were asked for. */
  frames: z.int(),
  /** Among the features. */
  features: estimateSchema,
  /** In the plane, where it is what one sees. */
  plane: estimateSchema,
  /** What neighbours drawn at random reach; absent without frames. */
  chance: z.number().optional(),
  /** The most that it can be; absent without frames. */
  ceiling: z.number().optional(),
});

/** What a projection found. Intervals are those of `reportHead`. */
export const projectionReportSchema = z.object({
  ...reportHead,
  /** How long a frame's features are. */
  dimensions: z.int(),
  perplexity: z.number(),
  /** Frames whose neighbours are so many equally near ones that no width gives the perplexity. */
  offPerplexity: z.int(),
  /** Gradient steps. */
  steps: z.int(),
  /** In nats, after the last step. */
  klDivergence: z.number(),
  neighbours: z.object({
    /** How many of each frame are looked at. */
    count: z.int(),
    /** What share of the nearest among the features is so in the plane, too; and what by chance. */
    kept: estimateSchema,
    keptChance: z.number(),
    /** Whether they show the same subject. */
    subject: neighbourShareSchema,
    /** Whether those of frames that show an action unit show it as well; among the frames of other subjects alone, too. */
    actionUnits: z.array(
      z.object({ actionUnit: z.int(), all: neighbourShareSchema, otherSubjects: neighbourShareSchema }),
    ),
  }),
  /** The action units of the points' labels. */
  actionUnits: z.array(z.int()),
  /** The frames, in the order they were drawn in. */
  points: z.array(
    z.object({
      /** Its place in the data set. */
      frame: z.int(),
      /** Below the data set's folder. */
      image: z.string(),
      subject: z.string(),
      x: z.number(),
      y: z.number(),
      /** Per action unit 1 present, 0 absent, null unknown. */
      labels: z.array(z.union([z.literal(0), z.literal(1), z.null()])),
    }),
  ),
});
/** What a projection found. */
export type ProjectionReport = z.output<typeof projectionReportSchema>;
