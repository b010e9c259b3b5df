import { basename } from "node:path";
import { z } from "zod";
import { createImageFinder, type DatasetDraft, type DraftSample } from "../dataset-draft.ts";
import type { LabelReading } from "../dataset-files.ts";
import { parseJsonLines } from "../json-lines.ts";
import type { ProblemList } from "../manifest-error.ts";
import { ACTION_UNIT_PROTOCOLS, type ActionUnitProtocol, type ActionUnitProtocolName } from "./action-unit-protocol.ts";

/** Stands in a label row where an action unit was not seen: "not present or unknown", which the files cannot tell apart. */
const ABSENT = 999;

const lineSchema = z.object({
  // A plain string, also an empty one: what is wrong with it is said below.
  img_path: z.string(),
  AUs: z.array(z.number({ message: "Expected a number of an action unit or 999" })),
});

/**
 * Reads the published label files of BP4D, BP4D+ and DISFA: JSON lines of `img_path`, below the image root, and `AUs`, the
 * numbers of the action units that occur, in any order, with 999 or nothing in place of the others. An empty list is a
 * frame without action units. What is not listed is a negative (0): the files say 999 for "absent" and for "unknown" alike.
 * The parts of a data set may stand in several files, each frame in one of them.
 */
export async function openLabelLines(
  directory: string,
  name: ActionUnitProtocolName,
  labelFiles: readonly string[],
  { files, problems }: LabelReading,
): Promise<DatasetDraft> {
  const protocol: ActionUnitProtocol = ACTION_UNIT_PROTOCOLS[name];
  if (labelFiles.length === 0) problems.add("label_files", `Expected the label files of ${name}, got none`);
  const subjectIndices = new Map(protocol.subjects.map((subject, index) => [subject, index]));
  const find = createImageFinder(directory, "img_path", problems);
  const samples: DraftSample[] = [];
  const texts: string[] = [];
  for (const labelFile of labelFiles) {
    const file = basename(labelFile);
    const text = await files.text(labelFile);
    if (text === undefined) {
      problems.add("label_files", `Expected a file that can be read, found none at "${labelFile}"`);
      continue;
    }
    texts.push(text);
    for (const { where, value } of parseJsonLines(file, text, lineSchema, problems)) {
      const subject = protocol.subjectFromPath(value.img_path);
      const refusal = protocol.refusePath?.(value.img_path);
      if (subject === undefined) {
        const got = `got "${value.img_path}"`;
        problems.add(`${where}:img_path`, `Expected a path that names a subject of ${name}, ${got}`, "subject");
      } else if (refusal !== undefined) {
        problems.add(`${where}:img_path`, `${refusal}: "${value.img_path}"`);
      }
      const imagePath = find(value.img_path, where);
      const occurrence = occurrenceFrom(value.AUs, name, where, problems);
      if (subject === undefined || imagePath === undefined) continue;
      samples.push({
        imagePath,
        where: `${where}:img_path`,
        subject,
        subjectIndex: subjectIndices.get(subject)!,
        occurrence,
        intensity: new Float32Array(occurrence.length).fill(Number.NaN),
        expression: -1,
      });
    }
  }
  if (samples.length === 0 && problems.count() === 0) problems.add("label_files", "Expected at least one frame");
  return {
    name,
    directory,
    description: protocol.description,
    protocol: name,
    actionUnits: protocol.actionUnits,
    subjects: protocol.subjects,
    folds: protocol.folds,
    samples,
    texts,
    digestOf: "bytes",
    boxConvention: "unknown",
  };
}

function occurrenceFrom(
  listed: readonly number[],
  name: ActionUnitProtocolName,
  where: string,
  problems: ProblemList,
): Int8Array {
  const actionUnits: readonly number[] = ACTION_UNIT_PROTOCOLS[name].actionUnits;
  const occurrence = new Int8Array(actionUnits.length);
  for (const [place, number] of listed.entries()) {
    const unit = actionUnits.indexOf(number);
    if (unit >= 0) occurrence[unit] = 1;
    else if (number !== ABSENT) {
      const expected = `Expected AU ${actionUnits.join(", ")} or ${ABSENT}`;
      problems.add(`${where}:AUs.${place}`, `${expected}, got ${number}`, "actionUnit");
    }
  }
  return occurrence;
}
