import { type EncoderShape, encoderOf, VIT_VARIANT_NAMES } from "@duchenne/model";
import { z } from "zod";
import type { Violation } from "./recipe-error.ts";
import type { Partially } from "./with-defaults.ts";

/** The encoder of a model. */
export const encoderSchema = z.object({
  /** "custom": that of the initial version, which is in no table. */
  variant: z.enum([...VIT_VARIANT_NAMES, "custom"]),
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
  const named = VIT_VARIANT_NAMES.find((name) => name === variant) ?? "large";
  const { imageSize, patchSize } = initial ?? encoderOf(named);
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
  if (initial === undefined && variant === "custom") {
    const names = VIT_VARIANT_NAMES.join(", ");
    violations.push({ field: "encoder.variant", description: `Expected one of ${names}, or an initial version` });
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

/** An encoder's shape, after its violations were found to be none. */
export function shapeFrom(encoder: EncoderRecipe, initial: EncoderShape | undefined): EncoderShape {
  const { variant, imageSize, patchSize } = encoder;
  if (initial !== undefined) return { ...initial, imageSize, patchSize };
  if (variant === "custom") throw new TypeError("Expected a named variant");
  return { ...encoderOf(variant), imageSize, patchSize };
}
