import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { z } from "zod";
import type { DatasetConfiguration } from "../../manifest/dataset-configuration.ts";
import { createSyntheticSubject, SYNTHFACS_ACTION_UNITS } from "../subject.ts";
import { synthFacsSchema } from "../synth-facs-options.ts";
import { FACE_OVAL_CONVENTION, type SynthesisControl } from "../synthesize-dataset.ts";
import { makeWholeFolder } from "../whole-folder.ts";
import { writeImage } from "../write-image.ts";
import { createPhotoFrame, portraitOf } from "./photo-frame.ts";
import { checkPortraits, type Portrait } from "./portrait.ts";
import { renderPhoto } from "./render-photo.ts";

/** What is made of portraits: as of drawn people, who are as many as there are. */
const photoOptionsSchema = synthFacsSchema.pick({
  seed: true,
  framesPerSubject: true,
  imageSize: true,
  identityShortcut: true,
});
/** What is made of portraits. */
export type PhotoSynthesisOptions = z.infer<typeof photoOptionsSchema>;

/**
 * Makes a data set of portraits, warped and shaded by action unit, into a folder that does not exist yet; `openDataset`
 * reads it. The folder appears whole or not at all.
 *
 * @throws {z.ZodError} when an option is out of range
 * @throws {UnusablePortraitError} when a portrait is too small, not neutral or turned away
 * @throws {CanonicalFaceMissingError} before set-up brought the mesh
 * @throws the signal's reason when aborted; nothing stays behind
 */
export async function synthesizePhotos(
  directory: string,
  portraits: readonly Portrait[],
  options: PhotoSynthesisOptions,
  { signal, onProgress }: SynthesisControl = {},
): Promise<void> {
  const parsed = photoOptionsSchema.parse(options);
  const { seed, framesPerSubject, imageSize, identityShortcut } = parsed;
  checkPortraits(portraits);
  const subjects = [...new Set(portraits.map(({ subject }) => subject))].sort();
  await makeWholeFolder(directory, async (temporary) => {
    await mkdir(join(temporary, "images"));
    const lines: string[] = [];
    for (const [s, name] of subjects.entries()) {
      const own = portraits.filter(({ subject }) => subject === name);
      const { baseRates } = createSyntheticSubject(seed, s, identityShortcut);
      for (let f = 0; f < framesPerSubject; f++) {
        signal?.throwIfAborted();
        const frame = createPhotoFrame(seed, { name, baseRates }, f);
        const portrait = own[portraitOf(seed, name, f, own.length)]!;
        const { image, pose } = await renderPhoto(portrait, frame, { size: imageSize, noiseSeed: [seed, name, f] });
        const file = `images/${name}_${String(f + 1).padStart(4, "0")}.png`;
        await writeImage(join(temporary, file), image);
        const byNumber = (side: readonly number[]) =>
          Object.fromEntries(SYNTHFACS_ACTION_UNITS.map((number, i) => [number, side[i]!]));
        const { intensities, left, right } = frame;
        lines.push(
          JSON.stringify({
            image: file,
            subject: name,
            actionUnits: byNumber(intensities),
            left: byNumber(left),
            right: byNumber(right),
            pose: Object.fromEntries(Object.entries(pose).map(([axis, angle]) => [axis, Math.round(angle * 10) / 10])),
            portrait: portrait.file,
          }),
        );
        onProgress?.(lines.length, subjects.length * framesPerSubject);
      }
    }
    const configuration: DatasetConfiguration = {
      name: `SynthFACS of portraits, seed ${seed}`,
      description: `Portraits of ${subjects.length} people x ${framesPerSubject} frames, moved by SynthFACS, identity shortcut ${identityShortcut}. It shows the people of the portraits.`,
      actionUnits: [...SYNTHFACS_ACTION_UNITS],
      occurrenceThreshold: 2,
      boxConvention: FACE_OVAL_CONVENTION,
      generator: { synthFacsPhoto: parsed },
    };
    await writeFile(join(temporary, "dataset.json"), `${JSON.stringify(configuration, null, 2)}\n`);
    await writeFile(join(temporary, "manifest.jsonl"), `${lines.join("\n")}\n`);
  });
}
