import type { ChartedUnits } from "../series/charted-units.ts";
import { make } from "./elements.ts";

/** Names what the chart shows. */
export function showLegend(list: HTMLUListElement, charted: ChartedUnits): void {
  const wanted = charted.entries.map(({ actionUnit, color }) => `${color}:${actionUnit}`).join(" ");
  if (list.dataset.shows === wanted) return;
  list.dataset.shows = wanted;
  list.replaceChildren(
    ...charted.entries.map(({ actionUnit, color }) =>
      make("li", { "data-color": String(color) }, [
        make("span", { class: "swatch", "aria-hidden": "true" }),
        `AU${actionUnit}`,
      ]),
    ),
  );
}
