import type { Estimate, ReportHead } from "@duchenne/evaluation";
import type { CardFigure } from "@duchenne/model";

/** Resamples behind the intervals of a card: as many as an evaluation draws when it is not told. */
export const CARD_RESAMPLES = 1000;

/** Estimates as a model's card tells them; what is undefined is left out. @param intervalOver what their bootstrap drew */
export function cardFigures(
  estimates: Iterable<readonly [string, Estimate]>,
  intervalOver: ReportHead["intervalsOver"],
): Record<string, CardFigure> {
  const figures: Record<string, CardFigure> = {};
  for (const [name, { value, lower, upper }] of estimates) {
    if (value === undefined) continue;
    figures[name] = lower === undefined || upper === undefined ? { value } : { value, lower, upper, intervalOver };
  }
  return figures;
}
