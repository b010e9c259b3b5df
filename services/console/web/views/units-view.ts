import type { ScoreRow } from "../scores/score-rows.ts";
import type { ChartedUnits } from "../series/charted-units.ts";
import { make, write } from "./elements.ts";

interface RowElements {
  readonly row: HTMLLIElement;
  readonly button: HTMLButtonElement;
  readonly bar: HTMLDivElement;
  readonly whole: HTMLElement;
  readonly left: HTMLElement;
  readonly right: HTMLElement;
  readonly score: HTMLSpanElement;
}

/** The list of action units with a bar each. A press on one charts it. */
export interface UnitsView {
  /** @param kind what the scores are, in a word */
  show(rows: readonly ScoreRow[], kind: string, charted: ChartedUnits): void;
}

/** Makes the list. @param onToggle told which action unit was pressed */
export function createUnitsView(list: HTMLUListElement, onToggle: (actionUnit: number) => void): UnitsView {
  let elements = new Map<number, RowElements>();

  function build(rows: readonly ScoreRow[]): void {
    elements = new Map(rows.map((row) => [row.actionUnit, rowElements(row, onToggle)]));
    list.replaceChildren(...[...elements.values()].map(({ row }) => row));
  }

  return {
    show(rows, kind, charted) {
      const isOther = rows.length !== elements.size || rows.some(({ actionUnit }) => !elements.has(actionUnit));
      if (isOther) build(rows);
      for (const row of rows) update(elements.get(row.actionUnit)!, row, kind, charted.colorOf(row.actionUnit));
    },
  };
}

function rowElements({ actionUnit, name }: ScoreRow, onToggle: (actionUnit: number) => void): RowElements {
  const button = make("button", { type: "button", title: "Show in the chart" }, [
    make("span", { class: "swatch", "aria-hidden": "true" }),
    make("span", { class: "number" }, [`AU${actionUnit}`]),
    make("span", { class: "name" }, [name]),
  ]);
  button.addEventListener("click", () => onToggle(actionUnit));
  const whole = make("i", { class: "whole" });
  const left = make("i", { class: "side left" });
  const right = make("i", { class: "side right" });
  const bar = make("div", { class: "bar", role: "meter", "aria-valuemin": "0", "aria-valuemax": "1" }, [
    whole,
    left,
    right,
    make("span", { class: "threshold" }),
  ]);
  const score = make("span", { class: "score" }, ["–"]);
  const row = make("li", { class: "unit", "data-unit": String(actionUnit) }, [button, score, bar]);
  return { row, button, bar, whole, left, right, score };
}

function update(elements: RowElements, row: ScoreRow, kind: string, color: number | undefined): void {
  const { row: item, button, bar, whole, left, right, score } = elements;
  const hasSides = row.left !== undefined && row.right !== undefined;
  item.dataset.present = String(row.present);
  item.dataset.color = color === undefined ? "" : String(color);
  button.setAttribute("aria-pressed", String(color !== undefined));
  bar.dataset.sides = String(hasSides);
  bar.style.setProperty("--threshold", String(row.threshold));
  whole.style.setProperty("--score", String(row.score ?? 0));
  left.style.setProperty("--score", String(row.left ?? 0));
  right.style.setProperty("--score", String(row.right ?? 0));
  write(score, row.score === undefined ? "–" : row.score.toFixed(2));
  bar.setAttribute("aria-label", `AU${row.actionUnit} ${row.name}`);
  bar.setAttribute("aria-valuenow", (row.score ?? 0).toFixed(2));
  bar.setAttribute("aria-valuetext", inWords(row));
  bar.title = details(row, kind);
}

function inWords({ score, present, threshold }: ScoreRow): string {
  if (score === undefined) return "no face";
  return `${score.toFixed(2)}, ${present ? "present" : "absent"}, threshold ${threshold.toFixed(2)}`;
}

function details(row: ScoreRow, kind: string): string {
  const lines = [
    `${kind}${row.source === "" ? "" : `: ${row.source}`}`,
    `Threshold ${row.threshold}: ${row.thresholdNote}`,
  ];
  if (row.left !== undefined && row.right !== undefined) {
    lines.push(`The person's left ${row.left.toFixed(2)}, right ${row.right.toFixed(2)}`);
  }
  if (row.rawScore !== undefined) lines.push(`The model's own score ${row.rawScore.toFixed(2)}`);
  return lines.join("\n");
}
