import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createSyntheticFrame } from "./frame.ts";
import { type FramePlace, placeInProtocol, protocolImagePath } from "./protocol/protocol-layout.ts";
import { createProtocolSubjects } from "./protocol/protocol-subjects.ts";
import { renderFace } from "./render.ts";
import { createSyntheticSubject, SYNTHFACS_ACTION_UNITS, type SyntheticSubject } from "./subject.ts";
import type { SynthFacsOptions } from "./synth-facs-options.ts";
import { writeImage } from "./write-image.ts";

/** The frames of one subject to be written. */
export interface SubjectTask {
  readonly options: SynthFacsOptions;
  /** Its index; with a protocol, its place in the published list. */
  readonly subject: number;
  /** The data set's folder. */
  readonly folder: string;
}

/** A frame that was written. Intensities by FACS number. */
export interface SyntheticLine {
  /** Path below the data set's folder. */
  readonly image: string;
  readonly subject: string;
  /** With a protocol: where the frame stands in it. */
  readonly place?: FramePlace;
  readonly intensities: Readonly<Record<number, number>>;
  readonly left: Readonly<Record<number, number>>;
  readonly right: Readonly<Record<number, number>>;
  /** In degrees. */
  readonly pose: { readonly yaw: number; readonly pitch: number; readonly roll: number };
}

/**
 * Renders all frames of a subject into files.
 *
 * @param onFrame called after each frame; what it throws ends the work
 */
export async function writeSubject(
  { options, subject: index, folder }: SubjectTask,
  onFrame: () => void,
): Promise<SyntheticLine[]> {
  const { seed, framesPerSubject, imageSize, identityShortcut, protocol } = options;
  const subject =
    protocol === undefined
      ? createSyntheticSubject(seed, index, identityShortcut)
      : createProtocolSubjects(seed, protocol, identityShortcut)[index]!;
  const lines: SyntheticLine[] = [];
  for (let f = 0; f < framesPerSubject; f++) {
    const frame = createSyntheticFrame(seed, subject, f);
    const face = await renderFace(subject, frame, imageSize, [seed, subject.name, f]);
    const at = placeFrame(options, subject, f);
    await mkdir(dirname(join(folder, at.image)), { recursive: true });
    await writeImage(join(folder, at.image), face);
    const byNumber = (side: readonly number[]) =>
      Object.fromEntries(SYNTHFACS_ACTION_UNITS.map((number, i) => [number, side[i]!]));
    const { yaw, pitch, roll } = frame;
    lines.push({
      ...at,
      subject: subject.name,
      intensities: byNumber(frame.intensities),
      left: byNumber(frame.left),
      right: byNumber(frame.right),
      pose: { yaw, pitch, roll },
    });
    onFrame();
  }
  return lines;
}

function placeFrame(
  { protocol, framesPerSubject }: SynthFacsOptions,
  { name }: SyntheticSubject,
  f: number,
): Pick<SyntheticLine, "image" | "place"> {
  if (protocol === undefined) return { image: `images/${name}_${String(f + 1).padStart(4, "0")}.png` };
  const place = placeInProtocol(protocol, name, f, framesPerSubject);
  return { image: protocolImagePath(protocol, name, place), place };
}
