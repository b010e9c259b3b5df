import { escapeMarkup } from "../escape-markup.ts";
import type { ReportBlock, ScatterPoint } from "../report-document.ts";
import { MARK_COLOUR } from "./chart.ts";
import { markColour, markPath } from "./scatter-marks.ts";

type Scatter = Extract<ReportBlock, { kind: "scatter" }>;

const WIDTH = 1000;

const STYLE = `.scatter form { display: grid; gap: 0.75rem; }
.scatter fieldset { border: 0; padding: 0; margin: 0; min-width: 0; display: flex; flex-wrap: wrap; gap: 0.3rem; align-items: baseline; }
.scatter legend { float: left; padding: 0; margin-right: 0.5rem; font-size: 0.85rem; }
.scatter label { position: relative; border: 1px solid color-mix(in srgb, CanvasText 25%, Canvas); border-radius: 1rem; padding: 0.05rem 0.65rem; font-size: 0.85rem; white-space: nowrap; }
.scatter label:hover { border-color: CanvasText; }
.scatter label:has(:checked) { background: CanvasText; color: Canvas; }
.scatter label:has(:focus-visible) { outline: 2px solid ${MARK_COLOUR}; outline-offset: 2px; }
.scatter input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: pointer; }
.scatter .sides { display: grid; grid-template-columns: minmax(0, 1fr) minmax(8rem, 16rem); gap: 1.25rem; align-items: start; }
@media (max-width: 46rem) { .scatter .sides { grid-template-columns: minmax(0, 1fr); } }
.scatter .points { width: 100%; max-height: 85vh; border: 1px solid color-mix(in srgb, CanvasText 15%, Canvas); border-radius: 0.4rem; }
.scatter .points path { fill: var(--c); stroke: Canvas; stroke-width: 0.75; }
.scatter .subjects { display: grid; grid-template-columns: repeat(auto-fill, minmax(5rem, max-content)); gap: 0.1rem 0.3rem; max-height: 85vh; overflow-y: auto; padding: 3px; }
.scatter .subjects legend { float: none; width: 100%; margin-bottom: 0.4rem; }
.scatter .subjects label:first-of-type { grid-column: 1 / -1; }
.scatter .subjects label { border-color: transparent; padding: 0 0.5rem; justify-self: start; }
.scatter .subjects svg { width: 0.8rem; height: 0.8rem; margin-right: 0.3rem; vertical-align: -0.08rem; fill: var(--c); overflow: visible; }
.scatter .counts { font-size: 0.85rem; margin: 0; min-height: 1.5em; }
.scatter .counts span { display: none; }
.scatter .counts b { font-weight: inherit; white-space: nowrap; margin-left: 0.9rem; }
.scatter .counts i { display: inline-block; width: 0.7rem; height: 0.7rem; border-radius: 50%; margin-right: 0.3rem; vertical-align: -0.05rem; }
.scatter .present { background: ${MARK_COLOUR}; }
.scatter .absent { background: color-mix(in srgb, CanvasText 28%, Canvas); }
.scatter .unknown { border: 1.5px solid color-mix(in srgb, CanvasText 45%, Canvas); box-sizing: border-box; }
@media print { .scatter .points, .scatter .subjects { max-height: none; } }`;

/** The rules that colour a scatter plot, and show one subject alone: by what is chosen in it, without a script. */
export function scatterStyle({ points, actionUnits }: Scatter): string[] {
  const chosen = (value: string) => `.scatter:has([value="${value}"]:checked)`;
  const subjects = subjectsOf(points).map((_, i) => {
    const pointed = `${chosen("all")}:has(.subjects .s${i}:hover)`;
    const fades = [chosen(`s${i}`), pointed].map((by) => `${by} .points :not(.s${i})`).join(", ");
    return `.s${i} { --c: ${markColour(i)}; }\n${fades} { opacity: 0.06; }`;
  });
  const units = actionUnits.map((_, u) => {
    const by = chosen(`u${u}`);
    return `${by} .points path { fill: color-mix(in srgb, CanvasText 28%, Canvas); }
${by} .points .p${u} { fill: ${MARK_COLOUR}; }
${by} .points .n${u} { fill: none; stroke: color-mix(in srgb, CanvasText 45%, Canvas); stroke-width: 1.2; }
${by} .subjects svg { fill: currentColor; opacity: 0.5; }
${by} .counts .u${u} { display: inline; }`;
  });
  return [STYLE, ...subjects, ...units, `${chosen("subject")} .counts .by-subject { display: inline; }`];
}

/**
 * Draws points as marks that are coloured by subject, or by an action unit that is chosen beside. Written by hand: a
 * scatter plot without axes is its marks, and those of a chart library carry no classes that a choice could colour.
 */
export function scatterPlot({ caption, points, actionUnits }: Scatter): string {
  const subjects = subjectsOf(points);
  const kinds = new Map(subjects.map((subject, i) => [subject, i]));
  const choice = (name: string, value: string, label: string, more = "") =>
    `<label${more}><input type="radio" name="${name}" value="${value}"${value === "subject" || value === "all" ? " checked" : ""}>${label}</label>`;
  return `<figure class="scatter"><figcaption>${escapeMarkup(caption)}</figcaption>
<form autocomplete="off">
<fieldset><legend>Colour by</legend>
${[
  choice("colour", "subject", "Subject"),
  ...actionUnits.map(({ name, description }, u) =>
    choice("colour", `u${u}`, escapeMarkup(name), ` title="${escapeMarkup(description)}"`),
  ),
].join("\n")}
</fieldset>
<p class="counts"><span class="by-subject">Point at a subject to see its frames alone, or choose it.</span>${actionUnits.map((unit, u) => countsOf(unit, points, u)).join("")}</p>
<div class="sides">
${marksOf(points, kinds, actionUnits)}
<fieldset class="subjects"><legend>${subjects.length} ${subjects.length === 1 ? "subject" : "subjects"}</legend>
${[
  choice("only", "all", "All"),
  ...subjects.map((subject, i) => choice("only", `s${i}`, `${keyOf(i)}${escapeMarkup(subject)}`, ` class="s${i}"`)),
].join("\n")}
</fieldset>
</div>
</form>
</figure>`;
}

function marksOf(
  points: readonly ScatterPoint[],
  kinds: ReadonlyMap<string, number>,
  units: Scatter["actionUnits"],
): string {
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const [left, right] = [least(xs), most(xs)];
  const [bottom, top] = [least(ys), most(ys)];
  const r = Math.min(Math.max(120 / Math.sqrt(points.length), 2.4), 6);
  const edge = 3 * r;
  const scale = (WIDTH - 2 * edge) / (Math.max(right - left, (top - bottom) / 1.4) || 1);
  // One that is higher than wide is not drawn larger than the page: then it stands in the middle.
  const indent = (WIDTH - 2 * edge - scale * (right - left)) / 2;
  const height = Math.ceil(scale * (top - bottom) + 2 * edge);
  const marks = points.map(({ x, y, subject, image, labels }) => {
    const kind = kinds.get(subject)!;
    const classes = labels.map((label, u) => (label === 1 ? ` p${u}` : label === null ? ` n${u}` : "")).join("");
    const shown = units.filter((_, u) => labels[u] === 1).map(({ name }) => name);
    const title = [subject, image, shown.join(" ")].filter((part) => part !== "").join(" · ");
    const path = markPath(kind, edge + indent + scale * (x - left), edge + scale * (top - y), r);
    return `<path class="s${kind}${classes}" d="${path}"><title>${escapeMarkup(title)}</title></path>`;
  });
  const label = `Scatter plot of ${points.length} frames`;
  return `<svg class="points" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${label}">\n${marks.join("\n")}\n</svg>`;
}

const keyOf = (i: number): string =>
  `<svg viewBox="-10 -10 20 20" aria-hidden="true"><path d="${markPath(i, 0, 0, 8)}"/></svg>`;

function countsOf(
  { name, description }: Scatter["actionUnits"][number],
  points: readonly ScatterPoint[],
  u: number,
): string {
  const count = (label: 0 | 1 | null) => points.filter(({ labels }) => labels[u] === label).length;
  const key = (kind: string, frames: number) =>
    frames === 0 ? "" : ` <b><i class="${kind}"></i>${kind} in ${frames}</b>`;
  const keys = [key("present", count(1)), key("absent", count(0)), key("unknown", count(null))].join("");
  return `<span class="u${u}">${escapeMarkup(`${name} ${description}`)}:${keys}</span>`;
}

/** In the order of their names, numbers in them by their value. */
function subjectsOf(points: readonly ScatterPoint[]): string[] {
  const { compare } = new Intl.Collator("en", { numeric: true });
  return [...new Set(points.map(({ subject }) => subject))].sort((a, b) => compare(a, b) || (a < b ? -1 : 1));
}

// Ten thousand arguments are too many for Math.min on some machines.
const least = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
const most = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
