import type { RgbImage } from "../../image.ts";
import { createSyntheticFrame } from "../frame.ts";
import { createSyntheticSubject, SYNTHFACS_ACTION_UNITS } from "../subject.ts";
import { writePixelText } from "./pixel-text.ts";

const ROW = 22;
const LEFT = 60;
const WIDTH = 560;
const INK = [40, 40, 40] as const;
const BAR = [150, 180, 210] as const;
const DOT = [30, 70, 120] as const;

/** What a prevalence plot is made from. */
export interface PrevalenceOptions {
  readonly seed: number;
  readonly subjects: number;
  readonly framesPerSubject: number;
  readonly identityShortcut: number;
}

/** Share of frames with each action unit: a bar for all subjects, a dot for each. */
export function prevalencePlot({ seed, subjects, framesPerSubject, identityShortcut }: PrevalenceOptions): RgbImage {
  const shares = Array.from({ length: subjects }, (_, s) => {
    const subject = createSyntheticSubject(seed, s, identityShortcut);
    const frames = Array.from({ length: framesPerSubject }, (_, f) => createSyntheticFrame(seed, subject, f));
    return SYNTHFACS_ACTION_UNITS.map(
      (_, a) => frames.filter(({ intensities }) => intensities[a]! >= 2).length / framesPerSubject,
    );
  });
  const height = ROW * (SYNTHFACS_ACTION_UNITS.length + 1);
  const image = { width: LEFT + WIDTH + 60, height, data: new Uint8Array((LEFT + WIDTH + 60) * height * 3).fill(255) };
  const rectangle = (
    left: number,
    top: number,
    width: number,
    tall: number,
    colour: readonly [number, number, number],
  ) => {
    for (let y = top; y < top + tall; y++) {
      for (let x = Math.max(left, 0); x < left + width; x++) image.data.set(colour, 3 * (y * image.width + x));
    }
  };
  for (let percent = 0; percent <= 100; percent += 20) {
    const x = LEFT + Math.round((percent / 100) * WIDTH);
    rectangle(x, 0, 1, height - ROW, [225, 225, 225]);
    writePixelText(image, `${percent}%`, { left: x - 8, top: height - ROW + 6, scale: 2, colour: INK });
  }
  for (const [a, number] of SYNTHFACS_ACTION_UNITS.entries()) {
    const top = a * ROW;
    const mean = shares.reduce((sum, row) => sum + row[a]!, 0) / subjects;
    rectangle(LEFT, top + 4, Math.round(mean * WIDTH), ROW - 8, BAR);
    for (const row of shares) rectangle(LEFT + Math.round(row[a]! * WIDTH) - 1, top + ROW / 2 - 2, 3, 4, DOT);
    writePixelText(image, `AU${number}`, { left: 4, top: top + 6, scale: 2, colour: INK });
    writePixelText(image, `${Math.round(100 * mean)}%`, {
      left: LEFT + WIDTH + 16,
      top: top + 6,
      scale: 2,
      colour: INK,
    });
  }
  return image;
}
