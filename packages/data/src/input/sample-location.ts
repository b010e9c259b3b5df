import { readFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Where a data set names a sample, such as "manifest.jsonl:12", for a message to its owner: the samples stand in the
 * order of the lines that are not empty. Undefined when the manifest is gone or no longer says so.
 */
export async function sampleLocation(
  directory: string,
  sampleIndex: number,
  imagePath: string,
): Promise<string | undefined> {
  const text = await readFile(join(directory, "manifest.jsonl"), "utf8").catch(() => "");
  const lines = [...text.split("\n").entries()].filter(([, line]) => line.trim() !== "");
  const [index, line] = lines[sampleIndex] ?? [];
  if (index === undefined || line === undefined) return undefined;
  try {
    const { image } = JSON.parse(line) as { image?: unknown };
    return typeof image === "string" && join(directory, image) === imagePath
      ? `manifest.jsonl:${index + 1}`
      : undefined;
  } catch {
    return undefined;
  }
}
