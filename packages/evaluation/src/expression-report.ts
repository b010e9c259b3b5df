import { z } from "zod";
import { estimateSchema, laterEstimateSchema, reportHead } from "./report.ts";

/** The outcome of an expression classifier's evaluation. `frames` are those whose class the classifier knows. */
export const expressionReportSchema = z.object({
  ...reportHead,
  /** Frames whose class is not known, or none of the classifier's: they are in no figure. */
  framesLeftOut: z.int(),
  /** Share of the frames whose class gets the largest logit. */
  top1: estimateSchema,
  /** top1 of always answering the most frequent class. */
  trivialTop1: z.number(),
  /** Mean recall over the classes that occur ("unweighted average recall"): chance is 1 over their number. */
  meanClassAccuracy: estimateSchema,
  /** Mean F1 over the classes that occur: chance is at most 1 over their number. */
  macroF1: laterEstimateSchema,
  /** Mean softmax cross-entropy, in nats. */
  crossEntropy: estimateSchema,
  /** In the order of the logits. */
  expressions: z.array(
    z.object({
      expression: z.string(),
      /** Whether the data set has the class; where not, there is nothing to judge. Earlier releases did not tell. */
      isInDataset: z.boolean().default(true),
      frames: z.int(),
      /** Empty when the class does not occur. */
      recall: estimateSchema,
      /** Empty when the class does not occur. */
      f1: estimateSchema,
    }),
  ),
  /** Frames by their class (rows) and by the answer (columns), both in the order of the logits. */
  confusion: z.array(z.array(z.int())),
});
/** The outcome of an expression classifier's evaluation. */
export type ExpressionReport = z.output<typeof expressionReportSchema>;
