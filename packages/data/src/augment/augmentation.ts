import { z } from "zod";

const probability = z.number().min(0).max(1);
const range = (min: number, max: number, [from, to]: readonly [number, number]) =>
  z
    .tuple([z.number().gt(0), z.number().gt(0)])
    .refine(([low, high]) => low <= high && low >= min && high <= max, `Expected [low, high] within ${min}..${max}`)
    .default([from, to])
    .readonly();
const filter = z.enum(["bilinear", "bicubic"]);

const pipelineSchema = z.strictObject({
  /** How an image gets the model's size: all of it, or a part that is drawn. */
  crop: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("whole"), filter: filter.default("bilinear") }),
    z.strictObject({
      kind: z.literal("random"),
      /** Share of the area. */
      area: range(0, 1, [0.08, 1]),
      /** Width over height. */
      aspect: range(0, 100, [3 / 4, 4 / 3]),
      filter: filter.default("bicubic"),
    }),
  ]),
  /** Probability of a left-right flip. */
  flip: probability.default(0),
  /** RandAugment (Cubuk et al. 2020) over fifteen operations that increase with the magnitude. */
  randAugment: z
    .strictObject({
      /** Operations drawn per image, with replacement. */
      operations: z.int().min(1).max(15).default(2),
      /** Probability that a drawn operation is applied. */
      probability: probability.default(0.5),
      /** Mean of the magnitude, which is drawn anew for each operation and cut to 0..10. */
      magnitude: z.number().min(0).max(10).default(9),
      /** Standard deviation of the magnitude. */
      magnitudeStd: z.number().min(0).default(0.5),
    })
    .optional(),
  /** Random erasing (Zhong et al. 2020): one rectangle of normal noise in the normalised image. */
  randomErasing: z
    .strictObject({
      probability: probability.default(0.25),
      /** Share of the area. */
      area: range(0, 1, [0.02, 1 / 3]),
      /** Height over width. */
      aspect: range(0, 100, [0.3, 1 / 0.3]),
    })
    .optional(),
});

/** A pipeline, all defaults filled in. The order is fixed: crop and resize, flip, RandAugment, normalise, erase. */
export type Augmentation = z.infer<typeof pipelineSchema>;

/**
 * The pipelines with a name. `none` (evaluation) resizes as torchvision does, `flip` is the published recipe of masked
 * pretraining, `paper` that of fine-tuning: timm's with `rand-m9-mstd0.5-inc1`.
 */
export const AUGMENTATIONS = {
  none: pipelineSchema.parse({ crop: { kind: "whole" } }),
  flip: pipelineSchema.parse({ crop: { kind: "whole" }, flip: 0.5 }),
  paper: pipelineSchema.parse({ crop: { kind: "random" }, flip: 0.5, randAugment: {}, randomErasing: {} }),
} as const satisfies Record<string, Augmentation>;

/** Name of a pipeline. */
export type AugmentationName = keyof typeof AUGMENTATIONS;

/** A pipeline as configuration: a name, or the pipeline written out. Parsed, it is always written out. */
export const augmentationSchema = z.union([
  z
    .enum(Object.keys(AUGMENTATIONS) as [AugmentationName, ...AugmentationName[]])
    .transform((name) => AUGMENTATIONS[name]),
  pipelineSchema,
]);
