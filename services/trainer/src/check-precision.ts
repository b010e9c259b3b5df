import { bfloat16Refusal, type EngineMachine } from "@duchenne/tensor/provision";
import { type Precision, RecipeError } from "@duchenne/training/recipes";
import { fieldName, type TrainingCase } from "./convert.ts";

/**
 * Checks that a training can be computed in what its recipe asks for.
 *
 * @param machine the one that trains; default: this one
 * @throws {RecipeError}
 */
export function checkPrecision(
  training: TrainingCase,
  { optimization: { precision } }: { readonly optimization: { readonly precision: Precision } },
  machine?: EngineMachine,
): void {
  const refusal = precision === "bfloat16" ? bfloat16Refusal(machine) : undefined;
  if (refusal === undefined) return;
  const description = `Expected "float32", got "${precision}": ${refusal}`;
  throw new RecipeError([{ field: fieldName(training, "optimization.precision"), description }]);
}
