import { createRandom } from "../random.ts";

/** The action units that SynthFACS draws, with the share of frames in which each occurs without a shortcut. */
export const SYNTHFACS_BASE_RATES: ReadonlyMap<number, number> = new Map([
  [1, 0.3],
  [2, 0.25],
  [4, 0.3],
  [12, 0.35],
  [25, 0.4],
  [26, 0.2],
  [43, 0.2],
]);
/** The action units that SynthFACS draws, in label order. */
export const SYNTHFACS_ACTION_UNITS: readonly number[] = [...SYNTHFACS_BASE_RATES.keys()];

/** What stays the same in all frames of a drawn person. Lengths in units of 1/100 of the face's box. */
export interface SyntheticSubject {
  readonly name: string;
  /** Colours as "hsl(...)" or "#rrggbb". */
  readonly skin: readonly [hue: number, saturation: number, lightness: number];
  readonly hair: string;
  readonly iris: string;
  readonly lips: string;
  readonly background: string;
  readonly clothing: string;
  /** Half the jaw's width. */
  readonly jawWidth: number;
  /** Half the width at the cheekbones. */
  readonly cheekWidth: number;
  readonly eyeDistance: number;
  readonly eyeWidth: number;
  readonly eyeOpening: number;
  readonly eyeHeight: number;
  readonly browThickness: number;
  readonly browHeight: number;
  readonly browTilt: number;
  readonly noseWidth: number;
  readonly noseLength: number;
  readonly mouthWidth: number;
  readonly lipThickness: number;
  readonly hairline: number;
  readonly hairParting: number;
  readonly freckles: number;
  readonly stubble: number;
  /** Probability of each action unit in this subject's frames, in the order of SYNTHFACS_ACTION_UNITS. */
  readonly baseRates: readonly number[];
}

const HAIR = [
  "#1c1614",
  "#2e211a",
  "#4a3222",
  "#6b4a2b",
  "#9a7341",
  "#c9a66b",
  "#8a3f22",
  "#8d8d8d",
  "#d8d4cc",
] as const;
const IRIS = ["#3b2416", "#5a3a1e", "#6f7d3c", "#4d6f5a", "#4a7aa5", "#6c8796"] as const;

/**
 * Draws subject `index` of a seed. With `identityShortcut` s the base rate of action unit a is
 * `sigmoid(logit(rate_a) + 3 s z)` with z standard normal per subject and action unit: 0 gives every subject the same
 * rates, 1 makes rates strongly a matter of who it is. The look does not depend on s.
 */
export function createSyntheticSubject(seed: number, index: number, identityShortcut: number): SyntheticSubject {
  const look = createRandom([seed, "synthfacs-subject", index]);
  const between = (low: number, high: number) => low + (high - low) * look.uniform();
  const pick = <T>(options: readonly T[]): T => options[look.integer(options.length)]!;
  // Human skin lies on a line from light and slightly pink to dark brown.
  const depth = look.uniform();
  const habits = createRandom([seed, "synthfacs-habits", index]);
  return {
    name: `S${String(index + 1).padStart(3, "0")}`,
    skin: [22 - 6 * depth + between(-3, 5), 48 - 8 * depth + between(-6, 6), 80 - 52 * depth],
    hair: pick(HAIR),
    iris: depth > 0.6 ? IRIS[look.integer(2)]! : pick(IRIS),
    lips: `hsl(${between(348, 366) % 360}, ${between(30, 48)}%, ${64 - 34 * depth}%)`,
    background: `hsl(${between(0, 360)}, ${between(8, 40)}%, ${between(35, 80)}%)`,
    clothing: `hsl(${between(0, 360)}, ${between(20, 55)}%, ${between(25, 60)}%)`,
    jawWidth: between(25, 36),
    cheekWidth: between(41, 46),
    eyeDistance: between(18.5, 22),
    eyeWidth: between(7.2, 9),
    eyeOpening: between(3, 4),
    eyeHeight: between(39, 43),
    browThickness: between(1.6, 3.6),
    browHeight: between(8.6, 10.8),
    browTilt: between(-1.2, 1.6),
    noseWidth: between(6.5, 10),
    noseLength: between(20, 24),
    mouthWidth: between(13, 17),
    lipThickness: between(2.4, 4.2),
    hairline: between(8, 17),
    hairParting: between(-0.8, 0.8),
    freckles: look.uniform() < 0.25 ? 6 + look.integer(18) : 0,
    stubble: look.uniform() < 0.3 ? between(0.1, 0.35) : 0,
    baseRates: [...SYNTHFACS_BASE_RATES.values()].map((rate) => {
      const logit = Math.log(rate / (1 - rate)) + 3 * identityShortcut * habits.normal();
      return 1 / (1 + Math.exp(-logit));
    }),
  };
}
