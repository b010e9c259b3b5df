import type { z } from "zod";

/** A problem of a recipe: the path of the field, and what was expected. */
export interface Violation {
  readonly field: string;
  readonly description: string;
}

/** Thrown when a recipe cannot be carried out; `violations` lists every problem. */
export class RecipeError extends Error {
  readonly code: string;
  readonly reason: string;
  readonly violations: readonly Violation[];

  /** @param outcome a more precise one, where there is one */
  constructor(
    violations: readonly Violation[],
    { code, reason }: { readonly code: string; readonly reason: string } = {
      code: "invalid_argument",
      reason: "INVALID_RECIPE",
    },
  ) {
    super(`The recipe is impossible: ${violations.map((each) => `${each.field}: ${each.description}`).join("; ")}`);
    this.name = "RecipeError";
    this.code = code;
    this.reason = reason;
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
