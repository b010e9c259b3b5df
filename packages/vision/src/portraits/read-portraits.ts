import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { type Portrait, portraitProblems, UnusablePortraitError } from "@duchenne/data";
import type { AuModel, DetectedFace } from "../au-model.ts";
import { decodeImage } from "../decode.ts";

const ENDINGS = new Set([".jpg", ".jpeg", ".png", ".webp"]);

/** What should be known of a portrait before it is used, though it can be. */
export interface PortraitNote {
  readonly file: string;
  readonly description: string;
}

/** The portraits of a folder. */
export interface PortraitFolder {
  readonly portraits: readonly Portrait[];
  readonly notes: readonly PortraitNote[];
}

/**
 * Reads a folder of neutral portraits and finds the face on each. A JPEG, PNG or WebP file in the folder is a person of its
 * own, named as the file; all files in a folder inside are of one person, named as that folder. Other files are left alone.
 *
 * @param model the built-in model: an action unit that it finds on a portrait is noted
 * @throws {UnusablePortraitError} with every problem of every file: no face, several, damaged, too small, not neutral
 */
export async function readPortraits(folder: string, model: AuModel): Promise<PortraitFolder> {
  const violations: { field: string; description: string }[] = [];
  const portraits: Portrait[] = [];
  const notes: PortraitNote[] = [];
  const files = await portraitFiles(folder);
  if (files.length === 0) {
    throw new UnusablePortraitError([
      { field: folder, description: "Expected JPEG, PNG or WebP files, in it or in folders of it, found none" },
    ]);
  }
  for (const file of files) {
    const problem = (description: string) => violations.push({ field: file, description });
    try {
      const bytes = await readFile(join(folder, file));
      const { faces } = await model.run({ image: bytes, maxFaces: 4, landmarks: true });
      const landmarks = faces[0]?.landmarks;
      if (faces.length !== 1 || landmarks === undefined) {
        problem(`Expected one face, found ${faces.length === 0 ? "none" : faces.length}`);
        continue;
      }
      const problems = portraitProblems({ landmarks });
      for (const each of problems) problem(each);
      if (problems.length > 0) continue;
      portraits.push({ subject: subjectOf(file), file, image: await decodeImage(bytes), landmarks });
      for (const description of expressionNotes(faces[0]!)) notes.push({ file, description });
    } catch (error) {
      problem(error instanceof Error ? error.message : String(error));
    }
  }
  if (violations.length > 0) throw new UnusablePortraitError(violations);
  return { portraits, notes };
}

/** Paths below the folder, in order. */
async function portraitFiles(folder: string): Promise<string[]> {
  const isImage = (name: string) => !name.startsWith(".") && ENDINGS.has(extname(name).toLowerCase());
  const files: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory() && !entry.name.startsWith(".")) {
      const inside = await readdir(join(folder, entry.name));
      files.push(...inside.filter(isImage).map((name) => `${entry.name}/${name}`));
    } else if (isImage(entry.name)) {
      files.push(entry.name);
    }
  }
  return files.sort();
}

function subjectOf(file: string): string {
  const folder = dirname(file);
  return folder === "." ? basename(file, extname(file)) : folder;
}

function expressionNotes({ scores }: DetectedFace): string[] {
  return scores
    .filter(({ side, score, threshold }) => side === undefined && score >= threshold)
    .map(({ actionUnit, score }) => `does not look neutral: AU${actionUnit} scores ${score.toFixed(2)}`);
}
