import { parse, View } from "vega";
import { compile } from "vega-lite";
import type { EpochFigures } from "./identity-adversary.ts";

/** Draws the F1 after each epoch, a line a seed, one colour a lambda (the paper's Figure 5), as SVG. */
export async function plotCurves(curves: readonly EpochFigures[]): Promise<string> {
  const values = curves.flatMap(({ seed, lambda, epoch, meanF1, sweptF1 }) => [
    { seed, lambda: `λ = ${lambda}`, epoch, f1: sweptF1, kind: "threshold swept on the test part" },
    { seed, lambda: `λ = ${lambda}`, epoch, f1: meanF1, kind: "threshold 0.5" },
  ]);
  const { spec } = compile({
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    data: { values },
    mark: { type: "line", strokeWidth: 2, opacity: 0.85 },
    width: 300,
    height: 220,
    encoding: {
      x: { field: "epoch", type: "quantitative", title: "epoch", axis: { tickMinStep: 1, grid: false } },
      y: { field: "f1", type: "quantitative", title: "F1, mean over action units", scale: { zero: false } },
      color: { field: "lambda", type: "nominal", title: null, scale: { range: ["#4c78a8", "#e45756"] } },
      detail: { field: "seed", type: "nominal" },
      column: { field: "kind", type: "nominal", title: null, header: { labelFontSize: 12 } },
    },
    config: { background: "white", font: "sans-serif", view: { stroke: null } },
  });
  return new View(parse(spec), { renderer: "none" }).toSVG();
}
