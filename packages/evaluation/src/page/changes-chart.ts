import type { ChangeRow } from "../report-document.ts";
import { type ChartSpec, MARK_COLOUR, SHARE, SHARE_AXIS } from "./chart.ts";

type Panel = Extract<ChartSpec, { hconcat: unknown }>["hconcat"][number];
type Layer = Extract<Panel, { layer: unknown }>["layer"][number];

/**
 * How figures change, two panels a figure: what the first model reaches (hollow) and the second (filled), and the change with
 * its interval, coloured where that is on one side of 0.
 */
export function changesChart(rows: readonly ChangeRow[]): ChartSpec {
  const names = [...new Set(rows.map(({ name }) => name))];
  const figures = [...new Set(rows.map(({ figure }) => figure))];
  const values = rows.map(({ name, figure, before, after, change: { value, lower, upper } }) => ({
    name,
    figure,
    before: before.value,
    after: after.value,
    change: value,
    lower,
    upper,
    isTold: (lower ?? 0) > 0 || (upper ?? 0) < 0,
  }));
  const reach = values.flatMap(({ change = 0, lower = 0, upper = 0 }) => [change, lower, upper].map(Math.abs));
  const furthest = 1.05 * Math.max(LEAST_REACH, ...reach);
  return {
    data: { values },
    hconcat: figures.flatMap((figure, i) => [
      levels(figure, linesOf(names, i === 0)),
      changes(figure, linesOf(names, false), furthest),
    ]),
    spacing: 14,
  };
}

/** What changes reach on the axis at least: those of a thousandth are not drawn as if they were large. */
const LEAST_REACH = 0.02;

/** A line a name, in every panel, also where nothing is defined; in the order of the report. */
const linesOf = (names: readonly string[], isLabelled: boolean) => ({
  field: "name",
  type: "nominal" as const,
  title: null,
  scale: { domain: [...names] },
  axis: { grid: true, labels: isLabelled, ticks: false, domain: false, labelLimit: 260 },
});
type Lines = ReturnType<typeof linesOf>;

function levels(figure: string, y: Lines): Panel {
  const x = { type: "quantitative", scale: SHARE, axis: SHARE_AXIS, title: null } as const;
  return panel(figure, figure, [
    {
      mark: { type: "rule", color: MARK_COLOUR, strokeWidth: 2, opacity: 0.5 },
      encoding: { y, x: { ...x, field: "before" }, x2: { field: "after" } },
    },
    {
      mark: { type: "point", filled: true, color: MARK_COLOUR, size: 40, opacity: 1 },
      encoding: { y, x: { ...x, field: "after" } },
    },
    {
      // Above and wider, to be seen where both reach the same.
      mark: { type: "point", filled: false, color: MARK_COLOUR, size: 90, strokeWidth: 1.5, opacity: 1 },
      encoding: { y, x: { ...x, field: "before" } },
    },
  ]);
}

function changes(figure: string, y: Lines, furthest: number): Panel {
  const domain: [number, number] = [-furthest, furthest];
  const x = {
    type: "quantitative",
    scale: { domain, nice: false },
    // Ticks are multiples of their distance, and few enough for labels: 0, which counts, is always among them.
    axis: { tickCount: 3, labelOverlap: false, format: ".3~f" },
    title: null,
  } as const;
  const color = { condition: { test: "datum.isTold", value: MARK_COLOUR }, value: "currentColor" } as const;
  const opacity = { condition: { test: "datum.isTold", value: 1 }, value: 0.45 } as const;
  return panel(`${figure}: change`, figure, [
    {
      data: { values: [{ none: 0 }] },
      mark: { type: "rule", color: "currentColor", opacity: 0.6 },
      encoding: { x: { ...x, field: "none" } },
    },
    {
      transform: [{ filter: "isValid(datum.lower)" }],
      mark: { type: "rule", strokeWidth: 2 },
      encoding: { y, x: { ...x, field: "lower" }, x2: { field: "upper" }, color, opacity },
    },
    {
      mark: { type: "point", filled: true, size: 50 },
      encoding: { y, x: { ...x, field: "change" }, color, opacity },
    },
  ]);
}

/** A panel of the rows of a figure that have it. */
const panel = (title: string, figure: string, layer: Layer[]): Panel => ({
  title: { text: title, fontSize: 12, fontWeight: "normal" },
  width: 150,
  height: { step: 18 },
  transform: [{ filter: { field: "figure", equal: figure } }, { filter: "isValid(datum.change)" }],
  layer,
});
