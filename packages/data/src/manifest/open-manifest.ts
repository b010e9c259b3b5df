import { basename, join } from "node:path";
import type { Dataset } from "../dataset.ts";
import { createImageFinder, type DatasetDraft, type DraftSample } from "../dataset-draft.ts";
import type { LabelReading } from "../dataset-files.ts";
import { foldErrors } from "../folds.ts";
import { parseJsonLines } from "../json-lines.ts";
import type { ProblemList } from "../manifest-error.ts";
import { RepeatedFoldSubjectError, SubjectWithoutFoldError } from "../split-errors.ts";
import { parseCsvManifest } from "./csv-rows.ts";
import {
  type DatasetConfiguration,
  datasetConfigurationFrom,
  parseDatasetConfiguration,
} from "./dataset-configuration.ts";
import { labelsFromLine, manifestLineSchema } from "./manifest-line.ts";
import { type PlacedLine, tellOfSharedFolds, tellOfSharedParts } from "./subject-leaks.ts";

const JSON_LINES = "manifest.jsonl";
const TABLE = "manifest.csv";

/**
 * Reads a data set of one's own: a folder with `dataset.json` and `manifest.jsonl`, one JSON object a line:
 * `{"image": "images/a.png", "subject": "s1", "actionUnits": {"1": 0, "12": 3.5}, "box"?: {...}, "expression"?: "anger",
 * "partition"?: "train", "fold"?: 1}`; or with `manifest.csv`, whose header can stand in for `dataset.json`. The numbers
 * are intensities 0..5, or 0 and 1 where `dataset.json` says `"labels": "occurrence"`; null, 9, 999 and an action unit that
 * a line does not name are unknown.
 *
 * @param options with `mayLeak` subjects may be in both parts, whatever `dataset.json` says
 * @returns undefined, and problems, when there is nothing to go on with
 */
export async function openManifest(
  directory: string,
  { files, problems }: LabelReading,
  { mayLeak = false }: { readonly mayLeak?: boolean | undefined } = {},
): Promise<DatasetDraft | undefined> {
  const [configurationText, linesText, tableText] = await Promise.all(
    ["dataset.json", JSON_LINES, TABLE].map((file) => files.text(join(directory, file))),
  );
  if (configurationText === undefined && tableText === undefined) {
    problems.add("dataset.json", "Expected a file, found none");
  }
  if (linesText === undefined && tableText === undefined) problems.add(JSON_LINES, "Expected a file, found none");
  if (linesText !== undefined && tableText !== undefined) {
    problems.add(TABLE, `Expected one manifest, found ${JSON_LINES} beside it`);
  }
  const manifestText = linesText ?? tableText;
  if (problems.count() > 0 || manifestText === undefined) return undefined;

  const stated = configurationText === undefined ? undefined : parseDatasetConfiguration(configurationText, problems);
  if (problems.count() > 0) return undefined;
  let lines: readonly PlacedLine[];
  let configuration = stated;
  if (linesText !== undefined) {
    lines = [...parseJsonLines(JSON_LINES, linesText, manifestLineSchema, problems)];
  } else {
    const table = parseCsvManifest(TABLE, manifestText, problems);
    lines = table.rows;
    configuration ??= configurationFromTable(basename(directory), table.actionUnits, lines, problems);
  }
  if (configuration === undefined) return undefined;
  const file = linesText === undefined ? TABLE : JSON_LINES;
  if (lines.length === 0 && problems.count() === 0) {
    problems.add(file, "Expected at least one line, got an empty manifest");
  }
  const texts = [configurationText ?? "", manifestText];
  return draftFrom({ directory, file, configuration, lines, texts, mayLeak }, problems);
}

function configurationFromTable(
  name: string,
  actionUnits: readonly number[],
  lines: readonly PlacedLine[],
  problems: ProblemList,
): DatasetConfiguration | undefined {
  const expressions = [...new Set(lines.flatMap(({ value }) => value.expression ?? []))].sort();
  const value = { name, actionUnits, ...(expressions.length === 0 ? {} : { expressions }) };
  return datasetConfigurationFrom(value, TABLE, problems);
}

interface ReadManifest {
  readonly directory: string;
  readonly file: string;
  readonly configuration: DatasetConfiguration;
  readonly lines: readonly PlacedLine[];
  readonly texts: readonly string[];
  readonly mayLeak: boolean;
}

function draftFrom(
  { directory, file, configuration, lines, texts, mayLeak }: ReadManifest,
  problems: ProblemList,
): DatasetDraft {
  const { actionUnits, expressions, occurrenceThreshold } = configuration;
  const named = lines.some(({ value }) => value.subject != null);
  const partitioned = lines.some(({ value }) => value.partition != null);
  const vocabulary = new Set(configuration.subjects);
  const subjects = configuration.subjects ?? [...new Set(lines.flatMap(({ value }) => value.subject ?? []))].sort();
  const subjectIndices = new Map(subjects.map((subject, index) => [subject, index]));
  const find = createImageFinder(directory, "image", problems);
  const samples: DraftSample[] = [];
  for (const { where, value } of lines) {
    const { subject, partition, box } = value;
    if (named && subject == null) {
      problems.add(`${where}:subject`, "Expected a subject on every line or on none", "subject");
    } else if (subject != null && configuration.subjects !== undefined && !vocabulary.has(subject)) {
      problems.add(
        `${where}:subject`,
        `Expected one of the ${subjects.length} subjects of dataset.json, got "${subject}"`,
        "subject",
      );
    }
    if (partitioned && partition == null) {
      problems.add(`${where}:partition`, '"train" or "test" expected on every line or on none');
    }
    const expression = value.expression == null ? -1 : (expressions?.indexOf(value.expression) ?? -1);
    if (value.expression != null && expression < 0) {
      const known = expressions === undefined ? "no expressions in dataset.json" : expressions.join(", ");
      problems.add(`${where}:expression`, `Expected one of: ${known}; got "${value.expression}"`);
    }
    const imagePath = find(value.image, where);
    const labels = labelsFromLine(value, configuration, where, problems);
    if (imagePath === undefined) continue;
    const isOccurrence = configuration.labels === "occurrence";
    const threshold = isOccurrence ? 1 : occurrenceThreshold;
    samples.push({
      imagePath,
      where: `${where}:image`,
      subject: subject ?? "",
      subjectIndex: subjectIndices.get(subject ?? "") ?? -1,
      occurrence: Int8Array.from(labels, (label) => (Number.isNaN(label) ? -1 : label >= threshold ? 1 : 0)),
      intensity: isOccurrence ? new Float32Array(labels.length).fill(Number.NaN) : labels,
      expression,
      ...(partition == null ? {} : { partition }),
      ...(box === undefined ? {} : { box }),
    });
  }
  if (configuration.labels === undefined && problems.count() === 0) refuseBinaryIntensities(file, samples, problems);
  if (!mayLeak && configuration.subjectsInBothParts !== true) tellOfSharedParts(lines, problems);
  const folds = foldsFrom(file, configuration, lines, problems);
  if (configuration.folds !== undefined) {
    for (const error of foldErrors({ subjects, samples }, configuration.folds)) {
      problems.add("dataset.json:folds", error.message, error instanceof RepeatedFoldSubjectError ? "leak" : "subject");
    }
  }
  return {
    name: configuration.name,
    directory,
    description: configuration.description,
    ...(configuration.protocol === undefined ? {} : { protocol: configuration.protocol }),
    actionUnits,
    subjects,
    ...(expressions === undefined ? {} : { expressions }),
    ...(folds === undefined ? {} : { folds }),
    samples,
    texts,
    digestOf: "bytes",
    boxConvention: configuration.boxConvention,
    ...(configuration.license === undefined ? {} : { license: configuration.license }),
  };
}

/** 0 and 1 read as intensities would make every label an absence, without a word. */
function refuseBinaryIntensities(file: string, samples: readonly DraftSample[], problems: ProblemList): void {
  const values = new Set(samples.flatMap(({ intensity }) => [...intensity].filter((value) => !Number.isNaN(value))));
  if (!values.has(1) || [...values].some((value) => value !== 0 && value !== 1)) return;
  const stated = '"labels": "occurrence" (or "intensity", if they are)';
  problems.add(file, `Expected intensities 0..5, got only 0 and 1; state ${stated} in dataset.json`);
}

function foldsFrom(
  file: string,
  { folds: stated }: DatasetConfiguration,
  lines: readonly PlacedLine[],
  problems: ProblemList,
): Dataset["folds"] {
  const folds: Set<string>[] = [];
  for (const { where, value } of lines) {
    if (value.fold == null) continue;
    if (stated !== undefined)
      problems.add(`${where}:fold`, "Expected none: dataset.json or its protocol says the folds");
    else if (value.subject == null) problems.add(`${where}:fold`, "Expected a subject on a line with a fold");
    else {
      while (folds.length < value.fold) folds.push(new Set());
      folds[value.fold - 1]!.add(value.subject);
    }
  }
  if (stated !== undefined || folds.length === 0) return stated;
  tellOfSharedFolds(lines, problems);
  const placed = new Set(folds.flatMap((subjects) => [...subjects]));
  for (const { where, value } of lines) {
    if (value.subject == null || placed.has(value.subject)) continue;
    problems.add(`${where}:fold`, new SubjectWithoutFoldError(value.subject).message, "subject");
    placed.add(value.subject);
  }
  for (const [index, { size }] of folds.entries()) {
    if (size === 0) problems.add(`${file}:fold`, `Expected folds 1..${folds.length}, fold ${index + 1} has no subject`);
  }
  return folds.map((subjects) => [...subjects]);
}
