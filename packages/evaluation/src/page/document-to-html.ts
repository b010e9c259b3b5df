import { escapeMarkup } from "../escape-markup.ts";
import type { Cell, ReportBlock, ReportDocument } from "../report-document.ts";
import { calibrationChart } from "./calibration-chart.ts";
import { changesChart } from "./changes-chart.ts";
import { type ChartSpec, drawChart } from "./chart.ts";
import { confusionChart } from "./confusion-chart.ts";
import { estimateChart } from "./estimate-chart.ts";
import { runsChart } from "./runs-chart.ts";
import { scatterPlot, scatterStyle } from "./scatter-plot.ts";

// The colours are the reader's own: the page follows light and dark.
const STYLE = `:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; background: Canvas; color: CanvasText; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2rem 0.6rem; border-bottom: 1px solid color-mix(in srgb, CanvasText 18%, Canvas); text-align: right; white-space: nowrap; }
th { white-space: normal; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; }
tfoot { font-weight: 600; }
.wide { overflow-x: auto; margin: 1rem 0; }
figure { margin: 1.5rem 0; }
figcaption { margin-bottom: 0.5rem; font-weight: 600; }`;

/** Writes a report as one HTML page: its charts are SVG in it, and it loads nothing, runs nothing and fetches nothing. */
export async function documentToHtml({ title, blocks }: ReportDocument): Promise<string> {
  const parts: string[] = [];
  for (const block of blocks) parts.push(await partOf(block));
  const name = escapeMarkup(title);
  const styles = [STYLE, ...blocks.flatMap((block) => (block.kind === "scatter" ? scatterStyle(block) : []))];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${name}</title>
<style>
${styles.join("\n")}
</style>
</head>
<body>
<h1>${name}</h1>
${parts.filter((part) => part !== "").join("\n")}
</body>
</html>
`;
}

async function partOf(block: ReportBlock): Promise<string> {
  switch (block.kind) {
    case "text":
      return `<p>${escapeMarkup(block.text)}</p>`;
    case "table":
      return tableOf(block.heading, block.rows, block.footers);
    case "estimates":
      return block.rows.every(({ value }) => value === undefined)
        ? ""
        : figureOf(block.caption, estimateChart(block.rows));
    case "runs":
      return block.rows.every(({ value }) => value === undefined) ? "" : figureOf(block.caption, runsChart(block.rows));
    case "changes":
      return block.rows.every(({ change }) => change.value === undefined)
        ? ""
        : figureOf(block.caption, changesChart(block.rows));
    case "calibration":
      return block.rows.length === 0 ? "" : figureOf(block.caption, calibrationChart(block.rows));
    case "confusion":
      return figureOf(block.caption, confusionChart(block.names, block.confusion));
    case "scatter":
      return scatterPlot(block);
  }
}

async function figureOf(caption: string, chart: ChartSpec): Promise<string> {
  const svg = await drawChart(chart);
  return `<figure><figcaption>${escapeMarkup(caption)}</figcaption><div class="wide">${svg}</div></figure>`;
}

function tableOf(
  heading: readonly string[],
  rows: readonly (readonly Cell[])[],
  footers: readonly (readonly string[])[] = [],
): string {
  const line = (tag: "td" | "th", cells: readonly Cell[]) =>
    `<tr>${cells.map((cell) => `<${tag}>${contentOf(cell)}</${tag}>`).join("")}</tr>`;
  return [
    '<div class="wide"><table>',
    `<thead>${line("th", heading)}</thead>`,
    `<tbody>${rows.map((row) => line("td", row)).join("\n")}</tbody>`,
    ...(footers.length === 0 ? [] : [`<tfoot>${footers.map((row) => line("td", row)).join("\n")}</tfoot>`]),
    "</table></div>",
  ].join("\n");
}

const contentOf = (cell: Cell): string =>
  typeof cell === "string" ? escapeMarkup(cell) : `<strong>${escapeMarkup(cell.strong)}</strong>`;
