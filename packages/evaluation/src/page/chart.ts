import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";

/** What a chart is drawn from: its rows and how they are shown. */
export type ChartSpec = TopLevelSpec;

/** The colour of marks: of middle lightness, so that it shows on white and on black. */
export const MARK_COLOUR = "#4c8bd0";

/** The scale of what is a share. */
export const SHARE: { domain: [number, number] } = { domain: [0, 1] };
/** Its axis. */
export const SHARE_AXIS: { values: number[]; format: string } = { values: [0, 0.5, 1], format: ".1~f" };

/**
 * Draws a chart as SVG. Text and lines have the colour of the text around it (`currentColor`), there is no background: it
 * can be read in light and dark. The SVG refers to nothing outside of it.
 */
export async function drawChart(chart: ChartSpec): Promise<string> {
  const text = "currentColor";
  const { spec } = compile({
    ...chart,
    background: "transparent",
    config: {
      font: "sans-serif",
      axis: {
        labelColor: text,
        titleColor: text,
        domainColor: text,
        tickColor: text,
        gridColor: text,
        gridOpacity: 0.15,
      },
      header: { labelColor: text, titleColor: text, labelFontSize: 12 },
      legend: { labelColor: text, titleColor: text },
      title: { color: text },
      view: { stroke: text, strokeOpacity: 0.2 },
    },
  });
  const view = new View(parse(spec), { renderer: "none" });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
