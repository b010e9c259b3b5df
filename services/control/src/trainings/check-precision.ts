import { bfloat16Refusal, type EngineMachine } from "@duchenne/tensor/provision";
import { RecipeError } from "@duchenne/training/recipes";
import { z } from "zod";

const readerSchema = z.object({ recipe: z.object({ optimization: z.object({ precision: z.string() }) }) });

/**
 * Checks that a machine can compute in what a training asks for. Only the one that trains can say: others may have other
 * processors.
 *
 * @param job the training's kind and what it is made from
 * @param machine the one that trains; default: this one
 * @throws {RecipeError}
 */
export function checkPrecision(
  { kind, spec }: { readonly kind: string; readonly spec: unknown },
  machine?: EngineMachine,
): void {
  const { precision } = readerSchema.parse(spec).recipe.optimization;
  const refusal = precision === "bfloat16" ? bfloat16Refusal(machine) : undefined;
  if (refusal === undefined) return;
  const description = `Expected "float32", got "${precision}": ${refusal}`;
  throw new RecipeError([{ field: `${kind}.optimization.precision`, description }]);
}
