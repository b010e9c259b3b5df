import { createRandom } from "../random.ts";
import { type Colour, colourFromHex, colourFromHsv, mix } from "./colour.ts";
import { IDENTITY_MODES } from "./mesh/identity-modes.ts";

/** The action units that SynthFACS draws, with the share of frames in which each occurs without a shortcut. */
export const SYNTHFACS_BASE_RATES: ReadonlyMap<number, number> = new Map([
  [1, 0.22],
  [2, 0.18],
  [4, 0.2],
  [5, 0.16],
  [6, 0.3],
  [7, 0.22],
  [9, 0.14],
  [10, 0.15],
  [12, 0.32],
  [14, 0.15],
  [15, 0.14],
  [17, 0.18],
  [20, 0.16],
  [23, 0.15],
  [24, 0.3],
  [25, 0.22],
  [26, 0.18],
  [43, 0.15],
]);
/** The action units that SynthFACS draws, in label order. */
export const SYNTHFACS_ACTION_UNITS: readonly number[] = [...SYNTHFACS_BASE_RATES.keys()];

/** How hair is worn. */
export const HAIR_STYLES = ["bald", "short", "receding", "fringe", "long", "bun", "curly"] as const;
/** How hair is worn. */
export type HairStyle = (typeof HAIR_STYLES)[number];
/** How a beard is worn. */
export const BEARD_STYLES = ["none", "stubble", "moustache", "goatee", "full"] as const;
/** How a beard is worn. */
export type BeardStyle = (typeof BEARD_STYLES)[number];

/** What stays the same in all frames of a synthetic person. Colours are linear, shares 0..1. */
export interface SyntheticSubject {
  readonly name: string;
  /** Names the streams of this person's textures. */
  readonly textureSeed: number;
  /** The head's shape: a coefficient, about standard normal, for each of IDENTITY_MODES. */
  readonly shape: readonly number[];
  /** Skin from the lightest to the darkest, and its share of red. */
  readonly skinDepth: number;
  readonly skinRedness: number;
  /** How deep the lines of age are. */
  readonly age: number;
  readonly freckles: number;
  readonly iris: Colour;
  readonly lips: Colour;
  readonly browThickness: number;
  readonly browDensity: number;
  readonly hair: { readonly style: HairStyle; readonly colour: Colour; readonly line: number; readonly volume: number };
  readonly beard: { readonly style: BeardStyle; readonly density: number };
  /** Absent: no glasses. */
  readonly glasses?: { readonly colour: Colour; readonly roundness: number; readonly size: number };
  /** Absent: no make-up. */
  readonly makeUp?: { readonly lips: Colour; readonly lids: Colour; readonly strength: number };
  readonly clothing: Colour;
  readonly background: readonly [Colour, Colour];
  /** Probability of each action unit in this subject's frames, in the order of SYNTHFACS_ACTION_UNITS. */
  readonly baseRates: readonly number[];
}

const HAIR = ["#14100e", "#1c1512", "#2b1d16", "#3d2a1d", "#5a3d26", "#8a6238", "#b08a54", "#c9a771", "#6e2f1a", "#8e8b88", "#cfccc6"].map(colourFromHex); // biome-ignore format: a list
const DARK_HAIR = HAIR.slice(0, 4);
const IRIS = ["#2c190f", "#4a2c16", "#6b4a22", "#6a7038", "#4f7058", "#4a76a0", "#71909f"].map(colourFromHex);
/** Lips from those of the lightest skin to those of the darkest. */
const LIGHT_LIPS = colourFromHex("#c8837a");
const DARK_LIPS = colourFromHex("#5c3430");

/**
 * Draws subject `index` of a seed. With `identityShortcut` s the base rate of action unit a is
 * `sigmoid(logit(rate_a) + 3 s z)` with z standard normal per subject and action unit: 0 gives every subject the same
 * rates, 1 makes rates strongly a matter of who it is. The look does not depend on s.
 *
 * @param stated what is said of the person instead of drawn: whether beards, brows and jaws are more often a man's
 */
export function createSyntheticSubject(
  seed: number,
  index: number,
  identityShortcut: number,
  stated: { readonly masculine?: boolean | undefined } = {},
): SyntheticSubject {
  const look = createRandom([seed, "synthfacs-subject", index]);
  const between = (low: number, high: number) => low + (high - low) * look.uniform();
  const pick = <T>(options: readonly T[]): T => options[look.integer(options.length)]!;
  const chance = (probability: number) => look.uniform() < probability;
  const habits = subjectHabits(seed, index);
  const shape = IDENTITY_MODES.map(() => Math.min(Math.max(look.normal(), -2), 2));
  // Beards, brows and jaws go together more often than by chance; all else is drawn alone.
  const drawnMasculine = chance(0.5);
  const masculine = stated.masculine ?? drawnMasculine;
  const depth = look.uniform();
  const age = look.uniform();
  const bias: Partial<Record<(typeof IDENTITY_MODES)[number], number>> = masculine
    ? {
        jawWidth: 0.7,
        browRidge: 0.9,
        chinForward: 0.4,
        browHeight: -0.6,
        upperLip: -0.3,
        jawLength: 0.3,
        noseLength: 0.3,
      }
    : {
        jawWidth: -0.7,
        browRidge: -0.8,
        browHeight: 0.25,
        upperLip: 0.5,
        lowerLip: 0.4,
        eyeOpening: 0.6,
        jawLength: -0.4,
      };
  const hairColours = depth > 0.45 ? DARK_HAIR : HAIR.slice(0, 9);
  const hairColour = age > 0.75 && chance(0.7) ? pick(HAIR.slice(9)) : pick(hairColours);
  const styles: readonly HairStyle[] = masculine
    ? ["short", "short", "short", "receding", "bald", "fringe", "curly", "long"]
    : ["long", "long", "long", "fringe", "bun", "bun", "curly", "short"];
  const beard = masculine
    ? pick(["none", "none", "stubble", "stubble", "moustache", "goatee", "full"] as const)
    : "none";
  return {
    name: `S${String(index + 1).padStart(3, "0")}`,
    textureSeed: look.integer(2 ** 31),
    shape: shape.map((coefficient, k) => coefficient + (bias[IDENTITY_MODES[k]!] ?? 0)),
    skinDepth: depth,
    skinRedness: look.uniform(),
    age,
    freckles: depth < 0.5 && chance(0.3) ? between(0.3, 1) : 0,
    iris: depth > 0.5 ? pick(IRIS.slice(0, 3)) : pick(IRIS),
    lips: mix(LIGHT_LIPS, DARK_LIPS, depth * between(0.75, 1)),
    browThickness: (masculine ? 0.3 : 0.2) * between(0.75, 1.3),
    browDensity: between(0.7, 1),
    hair: { style: pick(styles), colour: hairColour, line: between(-0.6, 0.6), volume: look.uniform() },
    beard: { style: beard, density: between(0.5, 1) },
    ...(chance(0.18)
      ? {
          glasses: {
            colour: chance(0.6) ? colourFromHex("#15120f") : colourFromHsv(look.uniform(), 0.5, 0.4),
            roundness: look.uniform(),
            size: between(0.9, 1.1),
          },
        }
      : {}),
    ...(!masculine && chance(0.5)
      ? {
          makeUp: {
            lips: colourFromHsv(between(0.94, 1.02) % 1, between(0.55, 0.8), between(0.45, 0.75)),
            lids: colourFromHsv(look.uniform(), 0.35, 0.3),
            strength: between(0.4, 1),
          },
        }
      : {}),
    clothing: colourFromHsv(look.uniform(), between(0.1, 0.6), between(0.2, 0.8)),
    background: [
      colourFromHsv(look.uniform(), between(0, 0.35), between(0.35, 0.9)),
      colourFromHsv(look.uniform(), between(0, 0.35), between(0.2, 0.8)),
    ],
    baseRates: [...SYNTHFACS_BASE_RATES.values()].map((rate, a) =>
      rateOf(Math.log(rate / (1 - rate)), habits[a]!, identityShortcut),
    ),
  };
}

/** How much more than others subject `index` of a seed does each action unit: standard normal, z of `rateOf`. */
export function subjectHabits(seed: number, index: number): readonly number[] {
  const random = createRandom([seed, "synthfacs-habits", index]);
  return SYNTHFACS_ACTION_UNITS.map(() => random.normal());
}

/** The base rate of an action unit, from the logit of all subjects' rate and the habit of one. */
export function rateOf(logit: number, habit: number, identityShortcut: number): number {
  return 1 / (1 + Math.exp(-(logit + 3 * identityShortcut * habit)));
}
