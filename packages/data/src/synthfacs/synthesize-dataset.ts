import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { z } from "zod";
import type { DatasetConfiguration } from "../manifest/dataset-configuration.ts";
import { createSyntheticFrame } from "./frame.ts";
import { renderFace } from "./render.ts";
import { createSyntheticSubject, SYNTHFACS_ACTION_UNITS } from "./subject.ts";

/** What a SynthFACS data set is made from. */
export const synthFacsSchema = z.object({
  seed: z.int().nonnegative(),
  subjects: z.int().min(2).max(10_000),
  framesPerSubject: z.int().min(1).max(10_000),
  /** Side of the square images, in pixels. */
  imageSize: z.int().min(32).max(512),
  /** 0: base rates are the same for all subjects; 1: strongly a matter of the subject. */
  identityShortcut: z.number().min(0).max(1),
});
/** What a SynthFACS data set is made from. */
export type SynthFacsOptions = z.infer<typeof synthFacsSchema>;

/** The box convention of SynthFACS images: the face's oval grown by 5 % of its width and height on each side. */
export const FACE_OVAL_CONVENTION = "face-oval+5%";

/** How a synthesis is watched and stopped. */
export interface SynthesisControl {
  readonly signal?: AbortSignal;
  /** Called after each image. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Draws a SynthFACS data set into a folder that does not exist yet; `openDataset` reads it. The folder appears whole or
 * not at all.
 *
 * @throws {z.ZodError} when an option is out of range
 * @throws the signal's reason when aborted; nothing stays behind
 */
export async function synthesizeDataset(
  directory: string,
  options: SynthFacsOptions,
  { signal, onProgress }: SynthesisControl = {},
): Promise<void> {
  const { seed, subjects, framesPerSubject, imageSize, identityShortcut } = synthFacsSchema.parse(options);
  if (await stat(directory).catch(() => undefined)) throw new Error(`Expected no folder at ${directory}, found one`);
  const temporary = join(dirname(directory), `.${randomUUID()}.partial`);
  await mkdir(join(temporary, "images"), { recursive: true });
  try {
    const lines: string[] = [];
    for (let s = 0; s < subjects; s++) {
      const subject = createSyntheticSubject(seed, s, identityShortcut);
      for (let f = 0; f < framesPerSubject; f++) {
        signal?.throwIfAborted();
        const frame = createSyntheticFrame(seed, subject, f);
        const image = await renderFace(subject, frame, imageSize, [seed, subject.name, f]);
        const path = `images/${subject.name}_${String(f + 1).padStart(4, "0")}.png`;
        const png = await sharp(image.data, { raw: { width: imageSize, height: imageSize, channels: 3 } })
          .png({ compressionLevel: 3 })
          .toBuffer();
        // Not by sharp: its errors do not tell a full disk from a bad image.
        await writeFile(join(temporary, path), png);
        const actionUnits = Object.fromEntries(
          SYNTHFACS_ACTION_UNITS.map((number, i) => [number, frame.intensities[i]!]),
        );
        lines.push(JSON.stringify({ image: path, subject: subject.name, actionUnits }));
        onProgress?.(lines.length, subjects * framesPerSubject);
      }
    }
    const configuration: DatasetConfiguration = {
      name: `SynthFACS seed ${seed}`,
      description: `Drawn faces: ${subjects} subjects x ${framesPerSubject} frames, identity shortcut ${identityShortcut}. No person is shown.`,
      actionUnits: [...SYNTHFACS_ACTION_UNITS],
      occurrenceThreshold: 2,
      boxConvention: FACE_OVAL_CONVENTION,
      generator: { synthFacs: { seed, subjects, framesPerSubject, imageSize, identityShortcut } },
    };
    await writeFile(join(temporary, "dataset.json"), `${JSON.stringify(configuration, null, 2)}\n`);
    await writeFile(join(temporary, "manifest.jsonl"), `${lines.join("\n")}\n`);
    await rename(temporary, directory);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}
