import type { DescMessage, Message } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { SplitError } from "@duchenne/data";
import type { CreateTrainingJobRequest } from "@duchenne/proto";
import { RecipeError } from "@duchenne/training/recipes";

/** The kinds of training, as the request names them. */
export type TrainingCase = NonNullable<CreateTrainingJobRequest["training"]["case"]>;

/**
 * A message's fields as they were set, messages within it too; what was not set is left out, so that it takes its default.
 * Enums become the lower-case names that recipes have, 64-bit integers numbers.
 */
export function setFields(schema: DescMessage, message: Message): Record<string, unknown> {
  return fieldsOf(reflect(schema, message));
}

function fieldsOf(message: ReflectMessage): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const field of message.fields) {
    if (!message.isSet(field)) continue;
    const value = message.get(field);
    if (field.fieldKind === "message") fields[field.localName] = fieldsOf(value as ReflectMessage);
    else if (field.fieldKind === "enum") {
      fields[field.localName] = field.enum.value[value as number]?.localName.toLowerCase();
    } else fields[field.localName] = typeof value === "bigint" ? Number(value) : value;
  }
  return fields;
}

/**
 * Runs `plan`, with what is wrong named as the caller named it: "fine_tune.optimization.batch_size".
 *
 * @throws {RecipeError} for a split that the data set does not allow as well, with its own reason
 */
export function withFieldNames<T>(training: TrainingCase, plan: () => T): T {
  try {
    return plan();
  } catch (error) {
    if (error instanceof SplitError) {
      const field = error.code === "invalid_argument" ? "split" : "dataset";
      throw new RecipeError([{ field: fieldName(training, field), description: error.message }], error);
    }
    if (!(error instanceof RecipeError)) throw error;
    throw new RecipeError(
      error.violations.map(({ field, description }) => ({ field: fieldName(training, field), description })),
    );
  }
}

/** The wire's name of a field of a training: "fineTune" and "modelVersion" make "fine_tune.model_version". */
export function fieldName(training: TrainingCase, field: string): string {
  return `${training}.${field}`.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
