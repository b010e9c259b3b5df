import type { Intensities } from "../expression/combine-action-units.ts";
import type { SyntheticSubject } from "../subject.ts";
import type { FurrowWeights } from "./furrow-maps.ts";
import type { FurrowName } from "./furrow-strokes.ts";

/** Furrows that an action unit of the same number makes. */
const OWN = [1, 2, 4, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24] as const;

/** How deep each line of age is at most, as a share of what an action unit does at intensity 5. */
const AGE_LINES = new Map<FurrowName, number>([
  [1, 0.28],
  [2, 0.28],
  [4, 0.2],
  [6, 0.3],
  [12, 0.38],
  [20, 0.25],
  ["eye-bag", 0.9],
]);

/** The furrows of a face: those of its action units and, on top of them, those of its age. */
export function furrowsOf(subject: SyntheticSubject, left: Intensities, right: Intensities): FurrowWeights {
  const weights = new Map<FurrowName, [number, number]>();
  const old = Math.max(0, subject.age - 0.25) / 0.75;
  for (const [name, depth] of AGE_LINES) weights.set(name, [depth * old, depth * old]);
  for (const [side, intensities] of [left, right].entries()) {
    const au = (number: number) => (intensities.get(number) ?? 0) / 5;
    const add = (name: FurrowName, weight: number) => {
      const sides = weights.get(name) ?? [0, 0];
      // Deeper lines grow deeper, but less so.
      sides[side] = Math.max(sides[side]!, weight) + 0.35 * Math.min(sides[side]!, weight);
      weights.set(name, sides);
    };
    // Furrows show up late and then deepen fast; young skin folds a little less.
    const elastic = 0.8 + 0.3 * subject.age;
    for (const number of OWN) add(number, elastic * au(number) ** 1.2);
    // A strong smile raises the cheeks.
    add(6, 0.3 * elastic * au(12) ** 2 * (1 - au(6)));
    // Both brows' parts together furrow the forehead from side to side.
    add("lid-fold", 1 - 0.8 * au(43) - 0.5 * au(4) + 0.3 * au(5));
  }
  return weights;
}
