import { ACTION_UNITS } from "@duchenne/data";
import { ImportOptionsError } from "./import-error.ts";

/** What the outputs of a model mean: a file holds none of it. */
export interface HeadOptions {
  /** FACS numbers in the order of the head's outputs; of an action unit detector. */
  readonly actionUnits?: readonly number[] | undefined;
  /** Names in the order of the head's outputs; of an expression classifier. */
  readonly expressions?: readonly string[] | undefined;
  /** Names in the order of the identity head's outputs, when they are known. */
  readonly subjects?: readonly string[] | undefined;
}

/** What a head can be called; a masked autoencoder has none. */
type Meaning =
  | { readonly kind: "vit"; readonly actionUnits: readonly number[] }
  | { readonly kind: "vit-expression"; readonly expressions: readonly string[] };

/**
 * What the caller says that a head's outputs are.
 *
 * @param outputs rows of the head
 * @param identities rows of the identity head; 0: there is none
 * @throws {ImportOptionsError} with every problem
 */
export function headMeaning(
  { actionUnits = [], expressions = [], subjects = [] }: HeadOptions,
  outputs: number,
  identities: number,
): Meaning {
  const isDetector = actionUnits.length > 0;
  const [field, given] = isDetector ? ["actionUnits", actionUnits] : ["expressions", expressions];
  const violations: { field: string; description: string }[] = [];
  const violate = (where: string, description: string) => violations.push({ field: where, description });
  if (isDetector === expressions.length > 0) {
    const got = isDetector ? "both" : "neither";
    violate("actionUnits", `Expected the action units or the expressions of the head's ${outputs} outputs, got ${got}`);
  } else if (given.length !== outputs) {
    violate(field, `Expected one for each of the head's ${outputs} outputs, got ${given.length}`);
  }
  for (const unknown of actionUnits.filter((unit) => !ACTION_UNITS.has(unit))) {
    violate("actionUnits", `Expected FACS numbers, got ${unknown}`);
  }
  for (const [name, values] of Object.entries({ actionUnits, expressions, subjects })) {
    if (new Set<number | string>(values).size < values.length) violate(name, "Expected each once, got one twice");
  }
  if (subjects.length > 0 && subjects.length !== identities) {
    violate("subjects", `Expected one for each of the identity head's ${identities} outputs, got ${subjects.length}`);
  }
  if (violations.length > 0) throw new ImportOptionsError(violations);
  return isDetector ? { kind: "vit", actionUnits } : { kind: "vit-expression", expressions };
}

/** Checks that nothing is said about outputs that a masked autoencoder has not. @throws {ImportOptionsError} */
export function checkHeadless(options: HeadOptions): void {
  const violations = (["actionUnits", "expressions", "subjects"] as const)
    .filter((field) => (options[field]?.length ?? 0) > 0)
    .map((field) => ({
      field,
      description: "Expected none: the file is a masked autoencoder, which has no such outputs",
    }));
  if (violations.length > 0) throw new ImportOptionsError(violations);
}
