import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { z } from "zod";

const require = createRequire(import.meta.url);

const labelsSchema = z.object({
  note: z.string(),
  actionUnits: z.array(z.int()),
  photographs: z.record(z.string(), z.array(z.union([z.literal(0), z.literal(1), z.null()]))),
});

/** A photograph with what was seen on it; null where nobody could tell. */
export interface LabelledPhotograph {
  /** Package and path. */
  readonly path: string;
  readonly labels: ReadonlyMap<number, 0 | 1 | null>;
}

/**
 * The photographs of both packages with the labels written down before any scoring.
 *
 * @param file of the labels: those of the built-in model's action units, or "more-labels.json" of what it has not
 */
export async function labelledPhotographs(file = "labels.json"): Promise<{
  readonly note: string;
  readonly actionUnits: readonly number[];
  readonly photographs: readonly LabelledPhotograph[];
}> {
  const text = await readFile(new URL(file, import.meta.url), "utf8");
  const { note, actionUnits, photographs } = labelsSchema.parse(JSON.parse(text));
  return {
    note,
    actionUnits,
    photographs: Object.entries(photographs).map(([path, labels]) => ({
      path,
      labels: new Map(actionUnits.map((actionUnit, i) => [actionUnit, labels[i]!])),
    })),
  };
}

/** Reads a file of a package. @param path package and path, such as "material-kit/assets/img/bg.jpg" */
export function readPackaged(path: string): Promise<Buffer> {
  const parts = path.split("/");
  const name = parts.splice(0, path.startsWith("@") ? 2 : 1).join("/");
  return readFile(join(dirname(require.resolve(`${name}/package.json`)), ...parts));
}
