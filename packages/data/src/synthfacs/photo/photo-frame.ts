import { createRandom } from "../../random.ts";
import { createSyntheticFrame, type Light, type SyntheticFrame } from "../frame.ts";
import { SYNTHFACS_ACTION_UNITS } from "../subject.ts";

/** What is made of a portrait: a frame whose turns and light are changes of what the photograph has. */
export interface PhotoFrame
  extends Pick<
    SyntheticFrame,
    "intensities" | "left" | "right" | "yaw" | "pitch" | "roll" | "offsetX" | "offsetY" | "scale" | "noise" | "blur"
  > {
  /** Quality of the JPEG compression; absent: none. */
  readonly jpegQuality?: number;
  /** Light that is added to the photograph's own; absent: none. */
  readonly light?: Light;
}

/** What is left of the turns of drawn faces: what a photograph does not show cannot be turned into view. */
const TURN = { yaw: 0.3, pitch: 0.3, roll: 0.7 } as const;

/**
 * Draws frame `index` of a person who has been photographed: action units as SynthFACS draws them, turns of at most 9
 * degrees (yaw), 6 (pitch) and 14 (roll) from the portrait's pose.
 */
export function createPhotoFrame(
  seed: number,
  person: { readonly name: string; readonly baseRates: readonly number[] },
  index: number,
): PhotoFrame {
  const { gaze: _, yaw, pitch, roll, ...frame } = createSyntheticFrame(seed, person, index);
  return { ...frame, yaw: TURN.yaw * yaw, pitch: TURN.pitch * pitch, roll: TURN.roll * roll };
}

/** Which of its portraits a frame of a person is made from. */
export function portraitOf(seed: number, subject: string, index: number, portraits: number): number {
  return createRandom([seed, "synthfacs-portrait", subject, index]).integer(portraits);
}

/** A portrait as it was taken, with some action units on both sides. */
export function photoFrameWith(intensities: Readonly<Record<number, number>>): PhotoFrame {
  const both = SYNTHFACS_ACTION_UNITS.map((number) => intensities[number] ?? 0);
  return {
    intensities: both,
    left: both,
    right: both,
    yaw: 0,
    pitch: 0,
    roll: 0,
    offsetX: 0,
    offsetY: 0,
    scale: 1,
    noise: 0,
    blur: 0,
  };
}
