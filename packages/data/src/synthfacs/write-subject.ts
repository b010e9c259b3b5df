import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { createSyntheticFrame } from "./frame.ts";
import { renderFace } from "./render.ts";
import { createSyntheticSubject, SYNTHFACS_ACTION_UNITS } from "./subject.ts";
import type { SynthFacsOptions } from "./synth-facs-options.ts";

/** The frames of one subject to be written. */
export interface SubjectTask {
  readonly options: SynthFacsOptions;
  readonly subject: number;
  /** The data set's folder; `images` is in it. */
  readonly folder: string;
}

/**
 * Renders all frames of a subject into files.
 *
 * @param onFrame called after each frame; what it throws ends the work
 * @returns the subject's lines of the manifest: beside its labels, what each side does, and the pose in degrees
 */
export async function writeSubject(
  { options, subject: index, folder }: SubjectTask,
  onFrame: () => void,
): Promise<string[]> {
  const { seed, framesPerSubject, imageSize, identityShortcut } = options;
  const subject = createSyntheticSubject(seed, index, identityShortcut);
  const lines: string[] = [];
  for (let f = 0; f < framesPerSubject; f++) {
    const frame = createSyntheticFrame(seed, subject, f);
    const { data } = await renderFace(subject, frame, imageSize, [seed, subject.name, f]);
    const image = `images/${subject.name}_${String(f + 1).padStart(4, "0")}.png`;
    const png = await sharp(data, { raw: { width: imageSize, height: imageSize, channels: 3 } })
      .png({ compressionLevel: 3 })
      .toBuffer();
    // Not by sharp: its errors do not tell a full disk from a bad image.
    await writeFile(join(folder, image), png);
    const byNumber = (side: readonly number[]) =>
      Object.fromEntries(SYNTHFACS_ACTION_UNITS.map((number, i) => [number, side[i]!]));
    const { yaw, pitch, roll } = frame;
    lines.push(
      JSON.stringify({
        image,
        subject: subject.name,
        actionUnits: byNumber(frame.intensities),
        left: byNumber(frame.left),
        right: byNumber(frame.right),
        pose: { yaw, pitch, roll },
      }),
    );
    onFrame();
  }
  return lines;
}
