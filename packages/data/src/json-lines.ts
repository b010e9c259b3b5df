import type { z } from "zod";
import type { ProblemList } from "./manifest-error.ts";

/** The value of a JSON text; undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Checks a value; what is wrong with it goes to `problems`, by its place below `where`. */
export function parseWhere<S extends z.ZodType>(
  schema: S,
  value: unknown,
  where: string,
  problems: ProblemList,
): z.output<S> | undefined {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  for (const { path, message } of parsed.error.issues) {
    problems.add([where, path.join(".")].filter(Boolean).join(":"), message);
  }
  return undefined;
}

/** Reads one JSON object a line, with its place ("file.jsonl:12"). Empty lines are passed over, bad ones reported. */
export function* parseJsonLines<S extends z.ZodType>(
  file: string,
  text: string,
  schema: S,
  problems: ProblemList,
): Generator<{ readonly where: string; readonly value: z.output<S> }> {
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const where = `${file}:${index + 1}`;
    const json = parseJson(line);
    if (json === undefined) {
      problems.add(where, "Expected one JSON object");
      continue;
    }
    const value = parseWhere(schema, json, where, problems);
    if (value !== undefined) yield { where, value };
  }
}
