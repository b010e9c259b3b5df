import { z } from "zod";
import { cardLicenseSchema } from "./card-license.ts";
import { type ExpressionConfig, expressionConfigSchema, type ModelConfig, modelConfigSchema } from "./config.ts";
import { maeConfigSchema } from "./mae-config.ts";
import { RANGE_METHODS } from "./quantization/value-histogram.ts";
import { loadReportSchema } from "./weights/load-report.ts";

/** What a model reaches on labelled frames; absent what their labels do not tell. */
const figuresSchema = z.object({
  /** Mean over action units of the AUC, of a detector. */
  macroAuc: z.number().optional(),
  /** Share of frames whose class is answered, of a classifier. */
  top1: z.number().optional(),
});

/** How a version came to compute in integers, and what that costs. */
const quantizationSchema = z.object({
  /** What the linear layers of its blocks compute in. */
  precision: z.literal("int8"),
  /** How the ranges of their inputs were chosen from what was seen. */
  rangeMethod: z.enum(RANGE_METHODS),
  /** What was looked at for it: frames drawn from those that the source's training did not hold out. */
  calibration: z.object({
    /** "datasets/{dataset}". */
    dataset: z.string(),
    digest: z.string(),
    frames: z.int(),
    seed: z.int(),
  }),
  /** Linear layers that stayed in float32, because the limit would not have held otherwise. */
  floatLayers: z.array(z.string()),
  /** The largest mean difference of a probability that was allowed. */
  maxMeanDifference: z.number(),
  /** Both on the same frames, none of which the calibration saw. */
  measured: z.object({
    frames: z.int(),
    /** They are those that the source's training held out. */
    isHeldOut: z.boolean(),
    /** Of a probability, over frames and outputs. */
    meanDifference: z.number(),
    maxDifference: z.number(),
    float32: figuresSchema,
    int8: figuresSchema,
  }),
});
/** How a version came to compute in integers, and what that costs. */
export type Quantization = z.output<typeof quantizationSchema>;

const cardFigureSchema = z.object({
  value: z.number(),
  /** Ends of the 95 % interval of a bootstrap; absent where there is none: of a threshold, or with fewer than two to draw. */
  lower: z.number().optional(),
  upper: z.number().optional(),
  /** What the bootstrap drew: subjects, or frames where no subject is known. */
  intervalOver: z.enum(["subjects", "frames"]).optional(),
});
/** A figure of a training's own validation, with its interval where it has one. */
export type CardFigure = z.output<typeof cardFigureSchema>;

/** What a model version says of itself: enough to judge it and to make it again. */
export const modelCardSchema = z.object({
  /** "models/{model}". */
  model: z.string(),
  description: z.string(),
  /** What it is: an action unit detector, an expression classifier or a masked autoencoder. */
  config: z.discriminatedUnion("kind", [modelConfigSchema, expressionConfigSchema, maeConfigSchema]),
  /** What it was trained on; absent where weights were imported, which do not say. */
  dataset: z
    .object({
      /** "datasets/{dataset}". */
      name: z.string(),
      description: z.string(),
      digest: z.string(),
      subjects: z.int(),
      frames: z.int(),
    })
    .optional(),
  /** The subjects trained on, and those held out; all empty for a data set without subjects. */
  split: z.object({
    /** The test part is the data set's official one, frame by frame, and not a list of subjects. */
    isOfficial: z.boolean().default(false),
    /** The fold that was held out for the test, from 1, of how many: the others were seen. Absent of other splits. */
    fold: z.object({ tested: z.int(), of: z.int() }).optional(),
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
  /** Figures of the training's own validation, by name. Cards of earlier releases have numbers alone, without intervals. */
  metrics: z.record(z.string(), z.union([cardFigureSchema, z.number().transform((value): CardFigure => ({ value }))])),
  /** Of the data and the weights that it was made from, all of them. Absent of cards of earlier releases, which did not tell. */
  licenses: z.array(cardLicenseSchema).optional(),
  intendedUse: z.string(),
  limitations: z.string(),
  lineage: z.object({
    /** The attempt that made it; absent where weights were imported. */
    job: z.string().optional(),
    attempt: z.int().optional(),
    /**
     * The version that its training started from, "models/{model}/versions/{version}", and its digest, which tells what it was
     * when it is deleted. Digests are absent of cards of earlier releases.
     */
    initialModelVersion: z.string().optional(),
    initialModelDigest: z.string().optional(),
    /** The version that it was distilled from. */
    teacherModelVersion: z.string().optional(),
    teacherModelDigest: z.string().optional(),
    /** The version in float32 that it is in integers. */
    quantizedModelVersion: z.string().optional(),
    quantizedModelDigest: z.string().optional(),
  }),
  /** Absent of a version that computes in float32. */
  quantization: quantizationSchema.optional(),
  /** The file that it was imported from. */
  imported: z
    .object({
      fileName: z.string(),
      format: z.enum(["pth", "safetensors"]),
      sha256: z.string(),
      sizeBytes: z.int(),
      /** The last epoch that the file's training had done, from 0. */
      epoch: z.number().optional(),
      /** What that training was called with, but for paths of its machine. */
      trainingArguments: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
      /** In the order of the identity head's outputs; empty when they are not known. */
      subjects: z.array(z.string()),
      /** What the caller said about the licence of the weights. */
      licenseNote: z.string(),
      report: loadReportSchema,
    })
    .optional(),
});
/** What a model version says of itself. */
export type ModelCard = z.output<typeof modelCardSchema>;
/** The card of an action unit detector. */
export type DetectorCard = ModelCard & { readonly config: ModelConfig };
/** The card of an expression classifier. */
export type ExpressionCard = ModelCard & { readonly config: ExpressionConfig };
