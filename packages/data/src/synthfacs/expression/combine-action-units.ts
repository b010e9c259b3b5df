import type { MoveName } from "./action-unit-moves.ts";

/** Intensities 0..5 of one half of the face, by action unit. */
export type Intensities = ReadonlyMap<number, number>;

/** What one half of the face does; all shares of the greatest way. */
export interface HalfExpression {
  readonly moves: Readonly<Record<MoveName, number>>;
  /** How far the upper lid's edge is on its way to the lower one: 1 closed, below 0 raised. */
  readonly upperLid: number;
  /** How far the lower lid's edge is on its way to the upper one. */
  readonly lowerLid: number;
  /** 0: the lips stay together whatever pulls at them; 1: they part as far as they are pulled. */
  readonly lipsApart: number;
  /** The jaw's rotation as a share of its greatest. */
  readonly jaw: number;
}

/**
 * Turns intensities into movement. Most action units add up; these do not (FACS manual, "non-additive combinations"):
 * 1+4 draws the inner brows together and up instead of down, 12 raises the cheeks like a little of 6 and together with 6
 * narrows the eye more, 12+15 pulls the corners out but hardly up, 17, 23 and 24 act on closed lips only as far as 25 lets
 * them, and 20+25 opens the mouth flat.
 */
export function combineActionUnits(intensities: Intensities): HalfExpression {
  const au = (number: number) => (intensities.get(number) ?? 0) / 5;
  const open = Math.min(1, Math.max(au(25), au(26)) * 1.5);
  const cheek = au(6) + (1 - au(6)) * 0.35 * au(12) ** 2;
  const raised = Math.min(1, 1.4 * au(1));
  return {
    moves: {
      "1": au(1) * (1 - 0.25 * au(4)),
      "2": au(2) * (1 - 0.2 * au(4)),
      "4-down": au(4) * (1 - 0.9 * raised) * (1 - 0.3 * au(2)),
      "4-together": au(4),
      "6": cheek,
      "9": au(9),
      "9-brow": au(9) * (1 - 0.8 * au(4)) * (1 - raised),
      "10": au(10) * (1 - 0.3 * au(12)),
      "12-up": au(12) * (1 - 0.75 * au(15)),
      "12-out": au(12),
      "14": au(14) * (1 - 0.5 * au(12)),
      "15": au(15) * (1 - 0.35 * au(12)),
      "17-chin": au(17),
      "17-lip": au(17) * (1 - open),
      "20": au(20) * (1 - 0.4 * au(12)),
      "23-upper": au(23),
      "23-lower": au(23),
      "24-upper": au(24) * (1 - open),
      "24-lower": au(24) * (1 - open),
      "25-upper": au(25) * (1 - 0.4 * au(20)),
      "25-lower": au(25) * (1 - 0.25 * au(20)),
      "chin-flat": Math.min(1, au(12) + au(20)),
    },
    upperLid: au(43) + (1 - au(43)) * (0.1 * au(7) + 0.24 * au(4) * (1 - raised) + 0.05 * au(9) - 0.8 * au(5)),
    lowerLid: Math.min(0.6, 0.5 * au(7) + 0.3 * cheek + 0.15 * cheek * au(12) + 0.12 * au(9)) * (1 - 0.8 * au(43)),
    lipsApart: Math.min(1, 3 * Math.max(au(25), au(26), au(10) - 0.4)),
    jaw: au(26) + 0.08 * au(25) * (1 - au(26)),
  };
}
