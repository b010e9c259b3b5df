import type { EstimateRow } from "../report-document.ts";
import { type ChartSpec, MARK_COLOUR, SHARE, SHARE_AXIS } from "./chart.ts";

/** Estimates as points with their intervals, a panel a figure, beside what knowing nothing reaches (a red tick). */
export function estimateChart(rows: readonly EstimateRow[]): ChartSpec {
  const values = rows.filter(({ value }) => value !== undefined);
  // In the order of the rows: Vega-Lite sorts panels by name unless it is told their order.
  const figures = [...new Set(rows.map(({ figure }) => figure))];
  const y = { field: "name", type: "nominal", title: null, sort: null } as const;
  const x = { type: "quantitative", scale: SHARE, axis: SHARE_AXIS, title: null } as const;
  return {
    data: { values },
    facet: { column: { field: "figure", type: "nominal", title: null, sort: figures } },
    spec: {
      width: 170,
      height: { step: 18 },
      layer: [
        {
          transform: [{ filter: "isValid(datum.chance)" }],
          mark: { type: "tick", color: "#d9534f", thickness: 2, size: 12 },
          encoding: { y, x: { ...x, field: "chance" } },
        },
        {
          transform: [{ filter: "isValid(datum.lower)" }],
          mark: { type: "rule", color: MARK_COLOUR, strokeWidth: 2 },
          encoding: { y, x: { ...x, field: "lower" }, x2: { field: "upper" } },
        },
        {
          mark: { type: "point", filled: true, color: MARK_COLOUR, size: 50, opacity: 1 },
          encoding: { y, x: { ...x, field: "value" } },
        },
      ],
    },
  };
}
