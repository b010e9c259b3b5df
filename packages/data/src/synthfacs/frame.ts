import { createRandom } from "../random.ts";
import { settle } from "./settle.ts";
import { SYNTHFACS_ACTION_UNITS, type SyntheticSubject } from "./subject.ts";

/** The light of a frame. */
export interface Light {
  /** Where the key light stands, in degrees: to the picture's right, and up. */
  readonly azimuth: number;
  readonly elevation: number;
  /** Strength of the key light, and of the light from all sides. */
  readonly key: number;
  readonly ambient: number;
  /** Colour from cold (-1) to warm (1). */
  readonly warmth: number;
}

/** What differs from frame to frame. */
export interface SyntheticFrame {
  /** Intensity 0..5 of each action unit, in the order of SYNTHFACS_ACTION_UNITS: the greater one of both sides. */
  readonly intensities: readonly number[];
  /** Intensity on the subject's left and right side. */
  readonly left: readonly number[];
  readonly right: readonly number[];
  /** The head's turn in degrees: to its left, up, and towards its right shoulder (counter-clockwise in the picture). */
  readonly yaw: number;
  readonly pitch: number;
  readonly roll: number;
  /** Where the eyes look beside the camera, in degrees: to the subject's left, up. */
  readonly gaze: readonly [left: number, up: number];
  /** Shift of the face in the picture as a share of its box, and its scale. */
  readonly offsetX: number;
  readonly offsetY: number;
  readonly scale: number;
  readonly light: Light;
  /** Standard deviation of the camera's noise, in 8-bit levels. */
  readonly noise: number;
  /** Standard deviation of the lens' blur, in pixels of a 96-pixel crop. */
  readonly blur: number;
  /** Quality of the JPEG compression; absent: none. */
  readonly jpegQuality?: number;
}

/** Occurrences step by the roots of these primes: evenly spread over a subject's frames, and none in step with another. */
const SPREADS = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61];

/** Even light from the camera's upper left. */
const STUDIO_LIGHT: Light = { azimuth: -30, elevation: 35, key: 0.62, ambient: 0.46, warmth: 0 };
/** Action units that FACS codes one-sided more often than others. */
const ONE_SIDED = new Set([2, 9, 10, 12, 14, 15, 20]);
/** These have no sides. */
const MIDLINE = new Set([17, 23, 24, 25, 26]);

/**
 * Draws frame `index` of a subject. Each action unit occurs near its rate even in a dozen frames. One that occurs has an
 * intensity of 2..5, one that does not is absent or a trace below 1.2. A jaw drop (26) and a raised upper lip (10) part the
 * lips (25); what cannot be on a face at once gives way: 24 to 25, 5 and 7 to 43.
 */
export function createSyntheticFrame(seed: number, subject: SyntheticSubject, index: number): SyntheticFrame {
  const random = createRandom([seed, "synthfacs-frame", subject.name, index]);
  const around = (spread: number) => (2 * random.uniform() - 1) * spread;
  const bounded = (spread: number, bound: number) => Math.min(Math.max(random.normal() * spread, -bound), bound);
  const habit = createRandom([seed, "synthfacs-occurrence", subject.name]);
  const starts = SYNTHFACS_ACTION_UNITS.map(() => habit.uniform());
  const drawn = new Map(
    SYNTHFACS_ACTION_UNITS.map((number, i) => {
      const spread = (starts[i]! + index * Math.sqrt(SPREADS[i]!)) % 1;
      if (spread < subject.baseRates[i]!) return [number, 2 + 3 * random.uniform()];
      return [number, random.uniform() < 0.5 ? 0 : 1.2 * random.uniform()];
    }),
  );
  settle(drawn);
  const sides = new Map(
    SYNTHFACS_ACTION_UNITS.map((number) => {
      const weaker = MIDLINE.has(number)
        ? 1
        : ONE_SIDED.has(number) && random.uniform() < 0.12
          ? 0
          : 1 - 0.3 * random.uniform() ** 2;
      return [number, random.uniform() < 0.5 ? [weaker, 1] : [1, weaker]] as const;
    }),
  );
  // Two decimals: what is drawn is exactly what the manifest says.
  const onSide = (side: 0 | 1) =>
    SYNTHFACS_ACTION_UNITS.map((number) => Math.round(drawn.get(number)! * sides.get(number)![side]! * 100) / 100);
  const left = onSide(0);
  const right = onSide(1);
  return {
    intensities: left.map((intensity, i) => Math.max(intensity, right[i]!)),
    left,
    right,
    yaw: bounded(13, 30),
    pitch: bounded(8, 20),
    roll: bounded(7, 20),
    gaze: [bounded(6, 18), bounded(4, 12)],
    offsetX: around(0.015),
    offsetY: around(0.015),
    scale: 1 + around(0.03),
    light: {
      azimuth: around(60),
      elevation: 10 + 50 * random.uniform(),
      key: 0.35 + 0.5 * random.uniform(),
      ambient: 0.28 + 0.3 * random.uniform(),
      warmth: around(1),
    },
    noise: 0.5 + 3.5 * random.uniform() ** 2,
    blur: 0.7 * random.uniform() ** 2,
    ...(random.uniform() < 0.5 ? { jpegQuality: 55 + random.integer(41) } : {}),
  };
}

/** A neutral frame: no action unit, no pose, even light. */
export const NEUTRAL_FRAME: SyntheticFrame = {
  intensities: SYNTHFACS_ACTION_UNITS.map(() => 0),
  left: SYNTHFACS_ACTION_UNITS.map(() => 0),
  right: SYNTHFACS_ACTION_UNITS.map(() => 0),
  yaw: 0,
  pitch: 0,
  roll: 0,
  gaze: [0, 0],
  offsetX: 0,
  offsetY: 0,
  scale: 1,
  light: STUDIO_LIGHT,
  noise: 0,
  blur: 0,
};

/** The neutral frame with some action units on both sides. */
export function frameWith(intensities: Readonly<Record<number, number>>, frame = NEUTRAL_FRAME): SyntheticFrame {
  const both = SYNTHFACS_ACTION_UNITS.map((number) => intensities[number] ?? 0);
  return { ...frame, intensities: both, left: both, right: both };
}
