import type { RunRow } from "../report-document.ts";
import { type ChartSpec, MARK_COLOUR, SHARE, SHARE_AXIS } from "./chart.ts";

/** What each run alone reached, a panel a figure: as many ticks on a line as there are runs. */
export function runsChart(rows: readonly RunRow[]): ChartSpec {
  return {
    data: { values: rows.filter(({ value }) => value !== undefined) },
    facet: {
      column: { field: "figure", type: "nominal", title: null, sort: [...new Set(rows.map((row) => row.figure))] },
    },
    spec: {
      width: 170,
      height: { step: 18 },
      mark: { type: "tick", color: MARK_COLOUR, thickness: 2, size: 12, opacity: 0.8 },
      encoding: {
        y: { field: "name", type: "nominal", title: null, sort: null },
        x: { field: "value", type: "quantitative", scale: SHARE, axis: SHARE_AXIS, title: null },
      },
    },
  };
}
