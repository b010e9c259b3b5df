import type { UnitWeights } from "./bootstrap.ts";
import { microF1 } from "./counts.ts";
import { mean } from "./mean.ts";
import type { Estimate } from "./report.ts";
import { UNIT_FIGURES, type UnitFigure, type UnitStatistics } from "./unit-statistics.ts";

/** The estimates of some action units, and of the means over them. */
export interface UnitEstimates {
  readonly f1Micro: Estimate;
  readonly mean: Record<UnitFigure, Estimate>;
  readonly units: readonly Record<UnitFigure, Estimate>[];
}

/** The figures of a resample in one row, for a bootstrap: F1-micro, the means over action units, then each of them. */
export function figureRow(units: readonly UnitStatistics[], weights: UnitWeights): (number | undefined)[] {
  const figures = units.map((unit) => unit.figures(weights));
  return [
    microF1(units.map((unit) => unit.confusion(weights))),
    ...UNIT_FIGURES.map((name) => mean(figures.flatMap((unit) => unit[name] ?? []))),
    ...figures.flatMap((unit) => UNIT_FIGURES.map((name) => unit[name])),
  ];
}

/** What a bootstrap found of rows of `figureRow`. */
export function estimatesFrom([f1Micro, ...estimates]: readonly Estimate[]): UnitEstimates {
  const named = Array.from(
    { length: estimates.length / UNIT_FIGURES.length },
    (_, row) =>
      Object.fromEntries(UNIT_FIGURES.map((name, i) => [name, estimates[row * UNIT_FIGURES.length + i]!])) as Record<
        UnitFigure,
        Estimate
      >,
  );
  const [means, ...units] = named;
  return { f1Micro: f1Micro!, mean: means!, units };
}
