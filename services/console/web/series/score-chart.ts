import uPlot from "uplot";
import type { ChartedUnits } from "./charted-units.ts";
import type { ScoreHistory } from "./score-history.ts";

const SPAN_MS = 30_000;
const HEIGHT_PX = 190;

/** A chart of the last half minute. */
export interface ScoreChart {
  /** Draws what is charted now. @param thresholds of the model, by action unit */
  draw(nowMs: number, thresholds: ReadonlyMap<number, number>): void;
}

/** Puts a chart into an element; it follows the element's width and the colours of the style sheet. */
export function createScoreChart(element: HTMLElement, history: ScoreHistory, charted: ChartedUnits): ScoreChart {
  let plot: uPlot | undefined;
  let shown = "";
  let thresholds: ReadonlyMap<number, number> = new Map();
  const color = (name: string) => getComputedStyle(element).getPropertyValue(name);

  function axis(splits: number[], values: uPlot.Axis.Values, size: number): uPlot.Axis {
    return {
      stroke: () => color("--muted"),
      grid: { stroke: () => color("--line"), width: 1 },
      ticks: { show: false },
      font: "12px system-ui, sans-serif",
      splits,
      values,
      size,
    };
  }

  /** Dashed lines where the charted action units begin to count as present. */
  function drawThresholds(self: uPlot): void {
    const { ctx, bbox } = self;
    ctx.save();
    ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.lineWidth = devicePixelRatio;
    ctx.strokeStyle = color("--muted");
    const levels = new Set(charted.entries.flatMap(({ actionUnit }) => thresholds.get(actionUnit) ?? []));
    for (const level of levels) {
      const y = self.valToPos(level, "y", true);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    ctx.restore();
  }

  function build(): uPlot {
    const options: uPlot.Options = {
      width: Math.max(element.clientWidth, 100),
      height: HEIGHT_PX,
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false, range: () => [-SPAN_MS / 1000, 0] }, y: { range: () => [0, 1] } },
      axes: [
        axis(
          [-30, -25, -20, -15, -10, -5, 0],
          (_, ticks) => ticks.map((tick) => (tick === 0 ? "now" : `−${-tick} s`)),
          26,
        ),
        axis([0, 0.25, 0.5, 0.75, 1], (_, ticks) => ticks.map(String), 38),
      ],
      series: [
        {},
        ...charted.entries.map(
          (entry): uPlot.Series => ({
            label: `AU${entry.actionUnit}`,
            stroke: () => color(`--series-${entry.color}`),
            width: 2,
            points: { show: false },
          }),
        ),
      ],
      hooks: { draw: [drawThresholds] },
    };
    return new uPlot(options, [[]], element);
  }

  new ResizeObserver(() => plot?.setSize({ width: Math.max(element.clientWidth, 100), height: HEIGHT_PX })).observe(
    element,
  );
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plot?.redraw());

  return {
    draw(nowMs, current) {
      thresholds = current;
      const wanted = JSON.stringify(charted.entries);
      if (plot === undefined || wanted !== shown) {
        plot?.destroy();
        plot = build();
        shown = wanted;
      }
      const units = charted.entries.map(({ actionUnit }) => actionUnit);
      const { secondsAgo, columns } = history.window(units, nowMs, SPAN_MS);
      plot.setData([secondsAgo, ...columns]);
    },
  };
}
