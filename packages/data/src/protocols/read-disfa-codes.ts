import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ProblemList } from "../manifest-error.ts";
import type { CodedFrame } from "./coded-frame.ts";
import { DISFA } from "./disfa.ts";

/**
 * Reads the intensity files of DISFA: `SN001/SN001_au1.txt`, a line `frame,intensity` (0..5) a frame. The eight published
 * action units are taken; a frame that one of the files leaves out is unknown there.
 */
export async function readDisfaCodes(directory: string, problems: ProblemList): Promise<CodedFrame[]> {
  const entries = await readdir(directory, { recursive: true }).catch(() => []);
  const files = new Map<string, string>();
  for (const path of entries.sort()) {
    const [, subject, number] = /(?:^|[/\\])(SN\d{3})_au(\d+)\.txt$/i.exec(path) ?? [];
    if (subject !== undefined) files.set(`${subject.toUpperCase()} ${Number(number)}`, path);
  }
  const subjects = [...new Set([...files.keys()].map((key) => key.split(" ")[0]!))];
  if (subjects.length === 0) problems.add("labels", `Expected files such as SN001/SN001_au1.txt in "${directory}"`);
  const frames: CodedFrame[] = [];
  for (const subject of subjects) {
    if (!DISFA.subjects.includes(subject)) {
      problems.add(subject, "Expected a subject of disfa");
      continue;
    }
    const coded = new Map<number, Record<string, number | null>>();
    for (const number of DISFA.actionUnits) {
      const file = files.get(`${subject} ${number}`);
      if (file === undefined) {
        problems.add(subject, `Expected the intensities of AU${number}, found no ${subject}_au${number}.txt`);
        continue;
      }
      const text = await readFile(join(directory, file), "utf8");
      for (const [index, line] of text.split("\n").entries()) {
        if (line.trim() === "") continue;
        const [, frame, intensity] = /^\s*([1-9]\d*)\s*[,\s]\s*([0-5])\s*$/.exec(line) ?? [];
        if (frame === undefined) {
          problems.add(
            `${file}:${index + 1}`,
            `Expected a frame from 1 and an intensity of 0..5, got "${line.trim()}"`,
          );
          continue;
        }
        const row = coded.get(Number(frame)) ?? {};
        coded.set(Number(frame), row);
        row[number] = Number(intensity);
      }
    }
    for (const [frame, actionUnits] of [...coded].sort(([a], [b]) => a - b)) {
      frames.push({ subject, id: subject, task: "", frame, actionUnits });
    }
  }
  return frames;
}
