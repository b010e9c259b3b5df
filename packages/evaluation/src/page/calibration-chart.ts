import type { CalibrationRow } from "../report-document.ts";
import { type ChartSpec, MARK_COLOUR, SHARE, SHARE_AXIS } from "./chart.ts";

/** What occurs against how probable it was called, a panel an action unit; calibrated probabilities lie on the diagonal. */
export function calibrationChart(rows: readonly CalibrationRow[]): ChartSpec {
  const x = { type: "quantitative", scale: SHARE, axis: SHARE_AXIS } as const;
  return {
    // The ends of the diagonal come with each panel's own rows: a layer with data of its own would fall out of the facet.
    data: { values: rows.map((row) => ({ ...row, zero: 0, one: 1 })) },
    // Vega-Lite sorts panels by name, AU10 before AU2, unless it is told their order.
    facet: { field: "name", type: "nominal", title: null, sort: [...new Set(rows.map(({ name }) => name))] },
    columns: 5,
    spec: {
      width: 110,
      height: 110,
      layer: [
        {
          mark: { type: "rule", color: "currentColor", opacity: 0.15, strokeDash: [4, 3] },
          encoding: {
            x: { ...x, field: "zero" },
            x2: { field: "one" },
            y: { ...x, field: "zero" },
            y2: { field: "one" },
          },
        },
        {
          mark: { type: "line", color: MARK_COLOUR, strokeWidth: 1 },
          encoding: {
            x: { ...x, field: "meanProbability", title: "probability" },
            y: { ...x, field: "occurring", title: "occurs" },
          },
        },
        {
          mark: { type: "point", filled: true, color: MARK_COLOUR, opacity: 1 },
          encoding: {
            x: { ...x, field: "meanProbability" },
            y: { ...x, field: "occurring" },
            size: { field: "frames", type: "quantitative", title: "frames", scale: { range: [10, 160] } },
          },
        },
      ],
    },
  };
}
