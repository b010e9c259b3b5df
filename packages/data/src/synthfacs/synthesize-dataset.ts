import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { DatasetConfiguration } from "../manifest/dataset-configuration.ts";
import { SYNTHFACS_ACTION_UNITS } from "./subject.ts";
import { type SynthFacsOptions, synthFacsSchema } from "./synth-facs-options.ts";
import { writeSubjects } from "./write-subjects.ts";

/** The box convention of SynthFACS images: the face's oval grown by 5 % of its width and height on each side. */
export const FACE_OVAL_CONVENTION = "face-oval+5%";

/** How a synthesis is watched and stopped. */
export interface SynthesisControl {
  readonly signal?: AbortSignal;
  /** Called with each image. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Draws a SynthFACS data set into a folder that does not exist yet; `openDataset` reads it. The folder appears whole or
 * not at all.
 *
 * @throws {z.ZodError} when an option is out of range
 * @throws {CanonicalFaceMissingError} before set-up brought the mesh
 * @throws the signal's reason when aborted; nothing stays behind
 */
export async function synthesizeDataset(
  directory: string,
  options: SynthFacsOptions,
  { signal, onProgress }: SynthesisControl = {},
): Promise<void> {
  const parsed = synthFacsSchema.parse(options);
  const { seed, subjects, framesPerSubject, identityShortcut } = parsed;
  if (await stat(directory).catch(() => undefined)) throw new Error(`Expected no folder at ${directory}, found one`);
  const temporary = join(dirname(directory), `.${randomUUID()}.partial`);
  await mkdir(join(temporary, "images"), { recursive: true });
  try {
    let done = 0;
    const lines = await writeSubjects(parsed, temporary, {
      signal,
      onFrame: () => onProgress?.(++done, subjects * framesPerSubject),
    });
    const configuration: DatasetConfiguration = {
      name: `SynthFACS seed ${seed}`,
      description: `Synthetic faces: ${subjects} subjects x ${framesPerSubject} frames, identity shortcut ${identityShortcut}. No person is shown.`,
      actionUnits: [...SYNTHFACS_ACTION_UNITS],
      occurrenceThreshold: 2,
      boxConvention: FACE_OVAL_CONVENTION,
      generator: { synthFacs: parsed },
    };
    await writeFile(join(temporary, "dataset.json"), `${JSON.stringify(configuration, null, 2)}\n`);
    await writeFile(join(temporary, "manifest.jsonl"), `${lines.join("\n")}\n`);
    await rename(temporary, directory);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}
