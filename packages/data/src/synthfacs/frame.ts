import { createRandom } from "../random.ts";
import { SYNTHFACS_ACTION_UNITS, type SyntheticSubject } from "./subject.ts";

/** What differs from frame to frame. */
export interface SyntheticFrame {
  /** Intensity 0..5 of each action unit, in the order of SYNTHFACS_ACTION_UNITS. */
  readonly intensities: readonly number[];
  /** In-plane rotation, in degrees. */
  readonly roll: number;
  /** Shift of inner features with a turn of the head, in units of 1/100 of the face's box. */
  readonly yaw: number;
  readonly pitch: number;
  /** Shift and scale of the face in the picture. */
  readonly offsetX: number;
  readonly offsetY: number;
  readonly scale: number;
  /** Direction of the light, -1 (left) to 1 (right), and brightness around 1. */
  readonly light: number;
  readonly brightness: number;
  /** Where the eyes look, -1..1. */
  readonly gaze: number;
  /** Standard deviation of the camera's noise, in 8-bit levels. */
  readonly noise: number;
}

/**
 * Draws frame `index` of a subject. An action unit that occurs has an intensity of 2..5, one that does not is absent or
 * a trace below 1.2. A jaw drop (26) parts the lips (25), as FACS scores it when the lips do not stay closed.
 */
export function createSyntheticFrame(seed: number, subject: SyntheticSubject, index: number): SyntheticFrame {
  const random = createRandom([seed, "synthfacs-frame", subject.name, index]);
  const around = (spread: number) => (2 * random.uniform() - 1) * spread;
  const intensities = subject.baseRates.map((rate) => {
    if (random.uniform() < rate) return 2 + 3 * random.uniform();
    return random.uniform() < 0.5 ? 0 : 1.2 * random.uniform();
  });
  const jawDrop = intensities[SYNTHFACS_ACTION_UNITS.indexOf(26)]!;
  const lipsPart = SYNTHFACS_ACTION_UNITS.indexOf(25);
  if (jawDrop >= 2) intensities[lipsPart] = Math.max(intensities[lipsPart]!, jawDrop);
  return {
    // Two decimals: what is drawn is exactly what the manifest says.
    intensities: intensities.map((intensity) => Math.round(intensity * 100) / 100),
    roll: around(6),
    yaw: around(2),
    pitch: around(1.2),
    offsetX: around(1.5),
    offsetY: around(1.5),
    scale: 1 + around(0.03),
    light: around(1),
    brightness: 1 + around(0.12),
    gaze: around(1),
    noise: 1 + 3 * random.uniform(),
  };
}

/** A neutral frame: no action unit, no pose, even light. */
export const NEUTRAL_FRAME: SyntheticFrame = {
  intensities: SYNTHFACS_ACTION_UNITS.map(() => 0),
  roll: 0,
  yaw: 0,
  pitch: 0,
  offsetX: 0,
  offsetY: 0,
  scale: 1,
  light: 0,
  brightness: 1,
  gaze: 0,
  noise: 0,
};
