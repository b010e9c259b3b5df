import { z } from "zod";
import { expressionConfigSchema, type ModelConfig, modelConfigSchema } from "./config.ts";
import { maeConfigSchema } from "./mae-config.ts";

/** What a model version says of itself: enough to judge it and to make it again. */
export const modelCardSchema = z.object({
  /** "models/{model}". */
  model: z.string(),
  description: z.string(),
  /** What it is: an action unit detector, an expression classifier or a masked autoencoder. */
  config: z.discriminatedUnion("kind", [modelConfigSchema, expressionConfigSchema, maeConfigSchema]),
  dataset: z.object({
    /** "datasets/{dataset}". */
    name: z.string(),
    description: z.string(),
    digest: z.string(),
    subjects: z.int(),
    frames: z.int(),
  }),
  /** The subjects trained on, and those held out; all empty for a data set without subjects. */
  split: z.object({
    trainSubjects: z.array(z.string()),
    /** Chose the epoch and the thresholds; empty when the test part did, as published. */
    validationSubjects: z.array(z.string()).default([]),
    testSubjects: z.array(z.string()),
  }),
  /** The full recipe, defaults filled in. */
  recipe: z.record(z.string(), z.json()),
  /** How faces were cut. */
  boxConvention: z.string(),
  /** Of a detector, in the order of the logits; empty otherwise. */
  thresholds: z.array(
    z.object({
      actionUnit: z.int(),
      threshold: z.number(),
      origin: z.enum(["convention", "validation"]),
      note: z.string(),
    }),
  ),
  /** Figures of the training's own validation, by name. */
  metrics: z.record(z.string(), z.number()),
  intendedUse: z.string(),
  limitations: z.string(),
  lineage: z.object({
    /** The attempt that made it. */
    job: z.string(),
    attempt: z.int(),
    /** The version that its training started from, "models/{model}/versions/{version}". */
    initialModelVersion: z.string().optional(),
    /** The version that it was distilled from. */
    teacherModelVersion: z.string().optional(),
  }),
});
/** What a model version says of itself. */
export type ModelCard = z.output<typeof modelCardSchema>;
/** The card of an action unit detector. */
export type DetectorCard = ModelCard & { readonly config: ModelConfig };
