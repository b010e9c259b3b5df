import { type FineTune, IdentityLoss, type LinearProbe, UnknownLabels } from "@duchenne/proto";
import { RecipeError } from "@duchenne/training/recipes";

/** A recipe's fields as they were set; what was not set takes its default. */
export function fineTuneFields(message: FineTune): Record<string, unknown> {
  const { dataset: _, model: __, variant, identityLoss, unknownLabels, seed, $typeName, $unknown, ...rest } = message;
  return {
    ...setFields(rest),
    ...(variant === "" ? {} : { variant }),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
    identityLoss: identityLoss === IdentityLoss.CE ? "ce" : "bce",
    unknownLabels: unknownLabels === UnknownLabels.NEGATIVE ? "negative" : "masked",
  };
}

/** A probe's fields as they were set. */
export function linearProbeFields(message: LinearProbe): Record<string, unknown> {
  const { dataset: _, modelVersion: __, seed, $typeName, $unknown, ...rest } = message;
  return { ...setFields(rest), ...(seed === undefined ? {} : { seed: Number(seed) }) };
}

function setFields(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Runs `plan`, with the fields of a RecipeError named as the caller named them: "fine_tune.batch_size". */
export function withFieldNames<T>(message: "fine_tune" | "linear_probe", plan: () => T): T {
  try {
    return plan();
  } catch (error) {
    if (!(error instanceof RecipeError)) throw error;
    throw new RecipeError(
      error.violations.map(({ field, description }) => ({
        field: `${message}.${field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`,
        description,
      })),
    );
  }
}
