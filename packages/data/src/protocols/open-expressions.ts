import { basename, join } from "node:path";
import type { Partition } from "../dataset.ts";
import { createImageFinder, type DatasetDraft, type DraftSample } from "../dataset-draft.ts";
import type { LabelReading } from "../dataset-files.ts";
import { EXPRESSION_PROTOCOLS, type ExpressionProtocolName, expressionIndex } from "./expression-protocol.ts";

/** How the folders of each part are called. Neither data set has a test part beside its validation part. */
const PART_FOLDERS: Readonly<Record<Partition, readonly string[]>> = {
  train: ["train", "train_set"],
  test: ["test", "val", "valid", "validation", "val_set"],
};

interface Labelled {
  readonly imagePath: string;
  readonly where: string;
  readonly expression: number;
  readonly partition: Partition;
}

/**
 * Reads RAF-DB or AffectNet: a folder a part, in it a folder a class, named by number or name; or, with a label file,
 * RAF-DB's own list (`train_00001.jpg 5` a line), whose images stand in the folder as they are or as
 * `train_00001_aligned.jpg`. There are no subjects: who is shown is not published.
 */
export async function openExpressions(
  directory: string,
  name: ExpressionProtocolName,
  labelFiles: readonly string[],
  reading: LabelReading,
): Promise<DatasetDraft> {
  const { problems } = reading;
  const protocol = EXPRESSION_PROTOCOLS[name];
  if (labelFiles.length > (name === "raf-db" ? 1 : 0)) {
    problems.add(
      "label_files",
      `Expected ${name === "raf-db" ? "at most one list" : "none"}, got ${labelFiles.length}`,
    );
  }
  const [listFile] = labelFiles;
  const { found, texts } =
    listFile === undefined
      ? await readFolders(directory, name, reading)
      : await readList(directory, listFile, name, reading);
  if (found.length === 0 && problems.count() === 0) problems.add("directory", "Expected images, found none");
  const nothing = { subject: "", subjectIndex: -1, occurrence: new Int8Array(), intensity: new Float32Array() };
  return {
    name,
    directory,
    description: protocol.description,
    protocol: name,
    actionUnits: [],
    subjects: [],
    expressions: protocol.expressions,
    samples: found.map((each): DraftSample => ({ ...nothing, ...each })),
    texts,
    digestOf: "bytes",
    boxConvention: "unknown",
  };
}

interface Found {
  readonly found: readonly Labelled[];
  /** What the digest covers beside the images. */
  readonly texts: readonly string[];
}

async function readFolders(
  directory: string,
  name: ExpressionProtocolName,
  { files, problems }: LabelReading,
): Promise<Found> {
  const protocol = EXPRESSION_PROTOCOLS[name];
  const folders = await files.folders(directory);
  const found: Labelled[] = [];
  const paths: string[] = [];
  for (const partition of ["train", "test"] as const) {
    const accepted = PART_FOLDERS[partition];
    const parts = folders.filter((folder) => accepted.includes(folder.toLowerCase()));
    if (parts.length !== 1) {
      const actual = parts.length === 0 ? "none" : parts.map((part) => `"${part}"`).join(" and ");
      problems.add("directory", `Expected one folder named ${accepted.join(" or ")}, found ${actual}`);
      continue;
    }
    const part = parts[0]!;
    const classOf = new Map<number, string>();
    for (const folder of await files.folders(join(directory, part))) {
      const where = `${part}/${folder}`;
      const expression = expressionIndex(protocol, folder);
      const twin = expression === undefined ? undefined : classOf.get(expression);
      if (expression === undefined) {
        const last = protocol.firstNumber + protocol.expressions.length - 1;
        const names = protocol.expressions.join(", ");
        problems.add(where, `Expected a class of ${name}: ${protocol.firstNumber}..${last} or ${names}`);
        continue;
      }
      if (twin !== undefined) problems.add(where, `Expected one folder a class, "${twin}" is the same class`);
      classOf.set(expression, folder);
      for (const image of (await files.images(join(directory, where))) ?? []) {
        const path = `${where}/${image}`;
        paths.push(path);
        found.push({ imagePath: join(directory, path), where: path, expression, partition });
      }
    }
    for (const [index, expression] of protocol.expressions.entries()) {
      if (!classOf.has(index)) problems.add(part, `Expected a folder of class ${expression}, found none`);
    }
  }
  return { found, texts: [name, ...paths] };
}

async function readList(
  directory: string,
  listFile: string,
  name: ExpressionProtocolName,
  { files, problems }: LabelReading,
): Promise<Found> {
  const text = await files.text(listFile);
  if (text === undefined) {
    problems.add("label_files", `Expected a file that can be read, found none at "${listFile}"`);
    return { found: [], texts: [] };
  }
  const present = new Set(await files.images(directory));
  const find = createImageFinder(directory, "image", problems);
  const found: Labelled[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const where = `${basename(listFile)}:${index + 1}`;
    const [, image, partition, label] = /^((train|test)_\S+) +(\d+)\s*$/.exec(line) ?? [];
    if (image === undefined || label === undefined) {
      problems.add(where, `Expected "train_00001.jpg 5" or "test_0001.jpg 5", got "${line.trim().slice(0, 80)}"`);
      continue;
    }
    const expression = expressionIndex(EXPRESSION_PROTOCOLS[name], label);
    if (expression === undefined) problems.add(where, `Expected a class of 1..7, got ${label}`);
    const aligned = image.replace(/(\.\w+)$/, "_aligned$1");
    const imagePath = find(present.has(aligned) ? aligned : image, where);
    if (imagePath === undefined || expression === undefined) continue;
    found.push({ imagePath, where: `${where}:image`, expression, partition: partition as Partition });
  }
  return { found, texts: [text] };
}
