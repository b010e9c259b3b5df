import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { createSyntheticSubject, SYNTHFACS_ACTION_UNITS } from "../subject.ts";
import type { SynthesisControl } from "../synthesize-dataset.ts";
import { makeWholeFolder } from "../whole-folder.ts";
import { writeImage } from "../write-image.ts";
import { renderSequence, type SequenceFrame } from "./render-sequence.ts";
import { createWebmWriter } from "./webm-writer.ts";

/** What a sequence on disk is made from. */
export const sequenceFilesSchema = z.object({
  seed: z.int().nonnegative(),
  /** Which subject of the seed, from 0. */
  subject: z.int().min(0).max(9_999),
  /** Which sequence of this subject, from 0. */
  index: z.int().nonnegative(),
  frames: z.int().min(1).max(100_000),
  frameRateHz: z.int().min(1).max(120),
  /** Whether the subject speaks. */
  speech: z.boolean(),
  /** Side of the square pictures, in pixels. */
  size: z.int().min(32).max(1024),
  framing: z.enum(["crop", "portrait"]),
  /** Numbered PNG files, or one video file. */
  pictures: z.enum(["frames", "video"]),
  /** Whether the labels have the 478 landmarks. */
  landmarks: z.boolean(),
});
/** What a sequence on disk is made from. */
export type SequenceFiles = Readonly<z.infer<typeof sequenceFilesSchema>>;

/**
 * Writes a sequence into a folder that does not exist yet: `frame_00001.png` and so on, or `sequence.webm`, and
 * `labels.jsonl`, a line a frame. The folder appears whole or not at all.
 *
 * @throws {z.ZodError} when an option is out of range
 * @throws the signal's reason when aborted; nothing stays behind
 */
export async function writeSequence(
  directory: string,
  options: SequenceFiles,
  { signal, onProgress }: SynthesisControl = {},
): Promise<void> {
  const { seed, subject: who, pictures, landmarks, ...rest } = sequenceFilesSchema.parse(options);
  const subject = createSyntheticSubject(seed, who, 0);
  const { size, frames, frameRateHz } = rest;
  await makeWholeFolder(directory, async (folder) => {
    const video = pictures === "video" ? await createWebmWriter({ width: size, height: size, frameRateHz }) : undefined;
    const lines: string[] = [];
    for await (const each of renderSequence(subject, { seed, ...rest })) {
      signal?.throwIfAborted();
      const image = `frame_${String(each.frame).padStart(5, "0")}.png`;
      if (video === undefined) await writeImage(join(folder, image), each.face.image);
      else await video.add(each.face.image);
      lines.push(JSON.stringify({ ...(video === undefined ? { image } : {}), ...labelsOf(each, landmarks) }));
      onProgress?.(each.frame, frames);
    }
    if (video !== undefined) await writeFile(join(folder, "sequence.webm"), await video.finish());
    await writeFile(join(folder, "labels.jsonl"), `${lines.join("\n")}\n`);
  });
}

function labelsOf({ frame, time, drawn, face }: SequenceFrame, landmarks: boolean): object {
  const byNumber = (side: readonly number[]) =>
    Object.fromEntries(SYNTHFACS_ACTION_UNITS.map((number, i) => [number, side[i]!]));
  const hundredth = (value: number) => Math.round(100 * value) / 100;
  const { intensities, left, right, gaze } = drawn;
  const points = Array.from({ length: face.landmarks.length / 3 }, (_, i) =>
    [...face.landmarks.subarray(3 * i, 3 * i + 3)].map(hundredth),
  );
  return {
    frame,
    time,
    actionUnits: byNumber(intensities),
    left: byNumber(left),
    right: byNumber(right),
    pose: face.pose,
    gaze: { left: gaze[0], up: gaze[1] },
    box: face.box,
    ...(landmarks ? { landmarks: points } : {}),
  };
}
