import type { RgbImage } from "../../image.ts";
import { frameWith, NEUTRAL_FRAME, type SyntheticFrame } from "../frame.ts";
import { renderLabelledFace } from "../render.ts";
import { createSyntheticSequence } from "../sequence/synthetic-sequence.ts";
import { createSyntheticSubject, SYNTHFACS_ACTION_UNITS, type SyntheticSubject } from "../subject.ts";
import { contactSheet, type Tile } from "./contact-sheet.ts";
import { type PrevalenceOptions, prevalencePlot } from "./prevalence-plot.ts";

/** Combinations that do not add up, and some that do. */
const COMBINATIONS = [[1, 2], [1, 4], [1, 2, 4], [6, 12], [12, 15], [20, 25], [12, 25], [6, 12, 25, 26], [4, 7, 23], [9, 17], [15, 17], [1, 2, 5, 25, 26]]; // biome-ignore format: a list

/** What a preview shows. */
export interface PreviewOptions extends PrevalenceOptions {
  /** Side of the faces, in pixels. */
  readonly size: number;
}

/** Sheets by name: action units by intensity, combinations, subjects, poses, a spoken sequence, and the prevalence plot. */
export async function* previewSheets(
  options: PreviewOptions,
): AsyncGenerator<readonly [name: string, sheet: RgbImage]> {
  const { seed, subjects, size, identityShortcut } = options;
  const people = Array.from({ length: subjects }, (_, s) => createSyntheticSubject(seed, s, identityShortcut));
  const person = (index: number) => people[index % people.length]!;
  const tile = async (
    subject: SyntheticSubject,
    frame: SyntheticFrame,
    label: string,
    portrait = false,
  ): Promise<Tile> => {
    const framing = portrait ? "portrait" : "crop";
    return { label, image: (await renderLabelledFace(subject, frame, { size, framing, noiseSeed: [seed] })).image };
  };
  const units: Tile[] = [];
  for (const [a, number] of SYNTHFACS_ACTION_UNITS.entries()) {
    for (let intensity = 0; intensity <= 5; intensity++) {
      units.push(await tile(person(a), frameWith({ [number]: intensity }), `AU${number} - ${intensity}`));
    }
  }
  yield ["action-units", contactSheet(units, 12)];
  const combined: Tile[] = [];
  for (const [i, numbers] of COMBINATIONS.entries()) {
    const frame = frameWith(Object.fromEntries(numbers.map((number) => [number, 4])));
    combined.push(await tile(person(i), NEUTRAL_FRAME, "0"), await tile(person(i), frame, numbers.join("+")));
  }
  yield ["combinations", contactSheet(combined, 8)];
  const portraits: Tile[] = [];
  for (const subject of people) portraits.push(await tile(subject, NEUTRAL_FRAME, subject.name, true));
  yield ["subjects", contactSheet(portraits, 8)];
  const poses: Tile[] = [];
  for (const pitch of [20, 0, -20]) {
    for (const yaw of [-30, -15, 0, 15, 30]) {
      poses.push(await tile(person(1), { ...NEUTRAL_FRAME, yaw, pitch }, `${yaw} ${pitch}`, true));
    }
    poses.push(await tile(person(1), { ...NEUTRAL_FRAME, roll: pitch }, `ROLL ${pitch}`, true));
  }
  yield ["poses", contactSheet(poses, 6)];
  const sequence = { seed, index: 0, frames: 24, frameRateHz: 6, speech: true };
  const strip: Tile[] = [];
  for (const [f, frame] of createSyntheticSequence(person(2), sequence).entries()) {
    strip.push(await tile(person(2), frame, `${(f / sequence.frameRateHz).toFixed(2)} S`, true));
  }
  yield ["sequence", contactSheet(strip, 12)];
  yield ["prevalence", prevalencePlot(options)];
}
