/**
 * Makes drawn intensities fit on one face, in place: 10 and 26 part the lips (25); 24 gives way to 25, 5 and 7 to 43, 7 to 5.
 */
export function settle(drawn: Map<number, number>): void {
  const present = (number: number) => drawn.get(number)! >= 2;
  for (const number of [10, 26]) if (present(number)) drawn.set(25, Math.max(drawn.get(25)!, drawn.get(number)!));
  if (present(25)) drawn.set(24, 0);
  if (present(43)) for (const number of [5, 7]) drawn.set(number, 0);
  if (present(5)) drawn.set(7, 0);
}

/** Action units whose settled rate depends on others', after those it depends on. */
export const SETTLED_BY_OTHERS = [5, 25, 7, 24] as const;

/** How often action units are left on faces after `settle`, when they are drawn independently at these rates. */
export function settledRates(drawn: ReadonlyMap<number, number>): Map<number, number> {
  const without = (...numbers: number[]) => numbers.reduce((share, number) => share * (1 - drawn.get(number)!), 1);
  return new Map(drawn)
    .set(25, 1 - without(10, 25, 26))
    .set(24, drawn.get(24)! * without(10, 25, 26))
    .set(5, drawn.get(5)! * without(43))
    .set(7, drawn.get(7)! * without(5, 43));
}
