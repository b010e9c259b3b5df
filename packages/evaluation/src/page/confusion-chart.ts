import { type ChartSpec, MARK_COLOUR } from "./chart.ts";

/** How frames of each class were answered, as shares of the class; numbers count frames. */
export function confusionChart(names: readonly string[], confusion: readonly (readonly number[])[]): ChartSpec {
  const values = confusion.flatMap((row, i) => {
    const all = row.reduce((sum, count) => sum + count, 0);
    return row.map((frames, j) => ({
      label: names[i]!,
      answer: names[j]!,
      frames,
      share: all === 0 ? 0 : frames / all,
    }));
  });
  const encoding = {
    y: { field: "label", type: "nominal", title: "label", sort: null },
    x: { field: "answer", type: "nominal", title: "answer", sort: null, axis: { labelAngle: -40 } },
  } as const;
  return {
    data: { values },
    width: { step: 44 },
    height: { step: 30 },
    layer: [
      {
        mark: { type: "rect", color: MARK_COLOUR },
        encoding: {
          ...encoding,
          opacity: { field: "share", type: "quantitative", scale: { domain: [0, 1], range: [0, 1] }, legend: null },
        },
      },
      {
        mark: { type: "text", color: "currentColor" },
        encoding: { ...encoding, text: { field: "frames", type: "quantitative" } },
      },
    ],
  };
}
