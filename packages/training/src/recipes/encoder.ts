import { type EncoderShape, VIT_VARIANT_NAMES, VIT_VARIANTS } from "@duchenne/model";
import { z } from "zod";
import type { Violation } from "./recipe-error.ts";
import type { Partially } from "./with-defaults.ts";

/** The encoder of a model. */
export const encoderSchema = z.object({
  variant: z.enum(VIT_VARIANT_NAMES),
  /** Side of the input, in pixels. */
  imageSize: z.int().min(8).max(4096),
  /** Side of a patch, in pixels. */
  patchSize: z.int().min(1).max(512),
  /** Stochastic depth of the last block; it rises linearly from 0 at the first. */
  dropPath: z.number().min(0).lt(1),
  /** The version that the training starts from, "models/{model}/versions/{version}"; absent: drawn weights. */
  initialModelVersion: z.string().optional(),
});
/** The encoder of a model. */
export type EncoderRecipe = Readonly<z.output<typeof encoderSchema>>;

/** What an encoder's fields default to: what a training starts from, else the paper's ViT-L. */
export function encoderDefaults(
  value: Partially<EncoderRecipe> | undefined,
  { initial, dropPath }: { readonly initial?: EncoderShape | undefined; readonly dropPath: number },
): object {
  const variant = value?.variant ?? initial?.variant ?? "large";
  // An unknown variant is told of when the recipe is parsed.
  const { imageSize, patchSize } = initial ?? VIT_VARIANTS[variant] ?? VIT_VARIANTS.large;
  return { variant, imageSize, patchSize, dropPath };
}

/** What is impossible about an encoder, by itself and beside what the training starts from. */
export function encoderViolations(encoder: EncoderRecipe, initial: EncoderShape | undefined): Violation[] {
  const { variant, imageSize, patchSize } = encoder;
  const violations: Violation[] = [];
  if (imageSize % patchSize !== 0) {
    const description = `Expected a multiple of the patch size ${patchSize}, got ${imageSize}`;
    violations.push({ field: "encoder.imageSize", description });
  }
  if (initial !== undefined && variant !== initial.variant) {
    const description = `Expected "${initial.variant}" as the initial version has it, got "${variant}"`;
    violations.push({ field: "encoder.variant", description });
  }
  if (initial !== undefined && patchSize !== initial.patchSize) {
    const description = `Expected ${initial.patchSize} as the initial version has it, got ${patchSize}`;
    violations.push({ field: "encoder.patchSize", description });
  }
  return violations;
}
