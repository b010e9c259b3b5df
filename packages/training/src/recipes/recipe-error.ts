import type { z } from "zod";

/** Thrown when a recipe cannot be carried out; `violations` lists every problem. */
export class RecipeError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "INVALID_RECIPE";
  readonly violations: readonly { readonly field: string; readonly description: string }[];

  constructor(violations: readonly { readonly field: string; readonly description: string }[]) {
    super(`The recipe is impossible: ${violations.map((each) => `${each.field}: ${each.description}`).join("; ")}`);
    this.name = "RecipeError";
    this.violations = violations;
  }
}

/** Parses a recipe. @throws {RecipeError} with every problem */
export function parseRecipe<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new RecipeError(
    parsed.error.issues.map((issue) => ({ field: issue.path.join("."), description: issue.message })),
  );
}
