import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join, normalize, sep } from "node:path";
import { z } from "zod";
import { ACTION_UNITS } from "./action-unit.ts";
import type { Dataset, Sample } from "./dataset.ts";

/** A problem of a manifest. */
export interface ManifestProblem {
  /** Where, such as "manifest.jsonl:12:actionUnits.99". */
  readonly field: string;
  readonly description: string;
}

/** Thrown when a data set's folder cannot be used; `violations` lists every problem, not just the first. */
export class ManifestError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "INVALID_MANIFEST";
  readonly violations: readonly ManifestProblem[];

  constructor(directory: string, violations: readonly ManifestProblem[]) {
    const shown = violations.slice(0, 3).map(({ field, description }) => `${field}: ${description}`);
    const more = violations.length > shown.length ? ` (and ${violations.length - shown.length} more)` : "";
    super(`The data set in ${directory} has ${violations.length} problem(s): ${shown.join("; ")}${more}`);
    this.name = "ManifestError";
    this.violations = violations;
  }
}

/** `dataset.json`: what holds for every line of the manifest. */
export const datasetConfigurationSchema = z.object({
  name: z.string().min(1),
  description: z.string().default(""),
  /** FACS numbers in label order. */
  actionUnits: z.array(z.int()).min(1),
  /** Intensity from which an action unit counts as occurring. */
  occurrenceThreshold: z.number().gt(0).lte(5).default(2),
  boxConvention: z.string().default("unknown"),
  /** What made it, whole. */
  generator: z.record(z.string(), z.unknown()).optional(),
});
/** `dataset.json`, parsed. */
export type DatasetConfiguration = z.infer<typeof datasetConfigurationSchema>;

const lineSchema = z.object({
  image: z.string().min(1),
  subject: z.string().min(1),
  actionUnits: z.record(z.string(), z.number()),
  box: z
    .object({
      left: z.number(),
      top: z.number(),
      width: z.number().positive(),
      height: z.number().positive(),
    })
    .optional(),
});

/**
 * Opens a data set: a folder with `dataset.json` and `manifest.jsonl`, one JSON object a line:
 * `{"image": "images/a.png", "subject": "s1", "actionUnits": {"1": 0, "12": 3.5}, "box"?: {...}}`. The numbers are
 * intensities 0..5; an action unit of the data set that a line does not name is unknown.
 *
 * @param knownDigest the digest of an earlier opening: the images are then not read again
 * @throws {ManifestError} with every problem and its line
 */
export async function openDataset(
  directory: string,
  { knownDigest }: { readonly knownDigest?: string } = {},
): Promise<Dataset> {
  const problems: ManifestProblem[] = [];
  const configurationText = await readFile(join(directory, "dataset.json"), "utf8").catch(() => undefined);
  const manifestText = await readFile(join(directory, "manifest.jsonl"), "utf8").catch(() => undefined);
  if (configurationText === undefined)
    problems.push({ field: "dataset.json", description: "Expected a file, found none" });
  if (manifestText === undefined)
    problems.push({ field: "manifest.jsonl", description: "Expected a file, found none" });
  if (configurationText === undefined || manifestText === undefined) throw new ManifestError(directory, problems);

  const configuration = parseConfiguration(directory, configurationText);
  const lines: { line: number; parsed: z.infer<typeof lineSchema>; path: string }[] = [];
  const seen = new Map<string, number>();
  for (const [index, text] of manifestText.split("\n").entries()) {
    if (text.trim() === "") continue;
    const line = index + 1;
    const where = `manifest.jsonl:${line}`;
    const parsed = parseLine(text, where, problems);
    if (parsed === undefined) continue;
    const path = normalize(join(directory, parsed.image));
    if (!path.startsWith(normalize(directory) + sep)) {
      problems.push({
        field: `${where}:image`,
        description: `Expected a path inside the data set, got "${parsed.image}"`,
      });
      continue;
    }
    const earlier = seen.get(path);
    if (earlier !== undefined) {
      problems.push({ field: `${where}:image`, description: `"${parsed.image}" already stands in line ${earlier}` });
    }
    seen.set(path, line);
    problems.push(...labelProblems(parsed.actionUnits, configuration, where));
    lines.push({ line, parsed, path });
  }
  if (lines.length === 0 && problems.length === 0) {
    problems.push({ field: "manifest.jsonl", description: "Expected at least one line, got an empty manifest" });
  }

  const digest = createHash("sha256").update(configurationText).update("\0").update(manifestText);
  for (const { line, parsed, path } of lines) {
    const file = await stat(path).catch(() => undefined);
    if (file?.isFile() !== true) {
      problems.push({ field: `manifest.jsonl:${line}:image`, description: `No file "${parsed.image}"` });
    } else if (knownDigest === undefined) {
      for await (const chunk of createReadStream(path)) digest.update(chunk as Buffer);
    }
  }
  if (problems.length > 0) throw new ManifestError(directory, problems);

  const subjects = [...new Set(lines.map(({ parsed }) => parsed.subject))].sort();
  return {
    name: configuration.name,
    directory,
    description: configuration.description,
    actionUnits: configuration.actionUnits,
    subjects,
    samples: lines.map(({ parsed, path }) => sampleFromLine(parsed, path, configuration, subjects)),
    digest: knownDigest ?? digest.digest("hex"),
    boxConvention: configuration.boxConvention,
  };
}

function parseConfiguration(directory: string, text: string): DatasetConfiguration {
  const json = parseJson(text);
  const parsed = datasetConfigurationSchema.safeParse(json);
  const problems: ManifestProblem[] = parsed.success
    ? []
    : parsed.error.issues.map((issue) => ({
        field: ["dataset.json", ...issue.path].join(":"),
        description: json === undefined ? "Expected JSON" : issue.message,
      }));
  if (parsed.success) {
    for (const [index, number] of parsed.data.actionUnits.entries()) {
      if (!ACTION_UNITS.has(number)) {
        problems.push({ field: `dataset.json:actionUnits.${index}`, description: `Unknown action unit ${number}` });
      }
      if (parsed.data.actionUnits.indexOf(number) !== index) {
        problems.push({
          field: `dataset.json:actionUnits.${index}`,
          description: `Action unit ${number} stands twice`,
        });
      }
    }
  }
  if (!parsed.success || problems.length > 0) throw new ManifestError(directory, problems);
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parseLine(text: string, where: string, problems: ManifestProblem[]): z.infer<typeof lineSchema> | undefined {
  const json = parseJson(text);
  if (json === undefined) {
    problems.push({ field: where, description: "Expected one JSON object" });
    return undefined;
  }
  const parsed = lineSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    problems.push({ field: [where, issue.path.join(".")].filter(Boolean).join(":"), description: issue.message });
  }
  return undefined;
}

function labelProblems(
  labels: Readonly<Record<string, number>>,
  { actionUnits }: DatasetConfiguration,
  where: string,
): ManifestProblem[] {
  return Object.entries(labels).flatMap(([key, intensity]) => {
    const field = `${where}:actionUnits.${key}`;
    if (!actionUnits.includes(Number(key)) || !/^[1-9]\d*$/.test(key)) {
      return [{ field, description: `Unknown action unit "${key}"; dataset.json names ${actionUnits.join(", ")}` }];
    }
    if (!(intensity >= 0 && intensity <= 5))
      return [{ field, description: `Expected an intensity of 0..5, got ${intensity}` }];
    return [];
  });
}

function sampleFromLine(
  { subject, actionUnits, box }: z.infer<typeof lineSchema>,
  imagePath: string,
  configuration: DatasetConfiguration,
  subjects: readonly string[],
): Sample {
  const intensity = Float32Array.from(configuration.actionUnits, (number) => actionUnits[number] ?? Number.NaN);
  return {
    imagePath,
    subject,
    subjectIndex: subjects.indexOf(subject),
    occurrence: Int8Array.from(intensity, (value) =>
      Number.isNaN(value) ? -1 : value >= configuration.occurrenceThreshold ? 1 : 0,
    ),
    intensity,
    expression: -1,
    ...(box === undefined ? {} : { box }),
  };
}
