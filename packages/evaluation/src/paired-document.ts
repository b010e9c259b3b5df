import type { PairedComparison } from "./compare-paired.ts";
import type { ScoreComparison } from "./compare-scores.ts";
import { type Cell, type ChangeRow, type ReportBlock, type ReportDocument, text } from "./report-document.ts";
import { interval } from "./report-parts.ts";

/** What a comparison is of, for people. */
export interface ComparisonNames {
  readonly title: string;
  readonly before: string;
  readonly after: string;
}

/** What every comparison says of how it was made. */
export type ComparisonHead = Pick<
  ScoreComparison,
  "frames" | "framesOnlyBefore" | "framesOnlyAfter" | "subjects" | "intervalsOver" | "resamples" | "seed" | "confidence"
>;

/** A figure of two models by its name, such as "Macro AUC". */
export type NamedPair = readonly [figure: string, pair: PairedComparison];

/** The figures of a comparison. */
export interface PairedFigures {
  /** What the figures of all are over, such as "All action units". */
  readonly all: string;
  readonly ofAll: readonly NamedPair[];
  /** Those of each action unit or expression. */
  readonly ofEach: readonly {
    /** Where there is little room, such as "AU12". */
    readonly name: string;
    /** Where there is more, such as "AU12 Lip corner puller". */
    readonly title: string;
    readonly figures: readonly NamedPair[];
  }[];
}

/** A comparison of two models for people: each figure of both, its change, and which changes exclude 0. */
export function pairedDocument(
  { title, before, after }: ComparisonNames,
  head: ComparisonHead,
  figures: PairedFigures,
  more: readonly ReportBlock[],
): ReportDocument {
  const { intervalsOver, resamples, seed, confidence } = head;
  const { all, ofAll, ofEach } = figures;
  const percent = `${+(100 * confidence).toFixed(2)} %`;
  const pairs = [
    ...ofAll,
    ...ofEach.flatMap((each) => each.figures.map(([figure, pair]): NamedPair => [`${each.title}: ${figure}`, pair])),
  ];
  const chart = (caption: string, rows: readonly ChangeRow[]): ReportBlock => ({ kind: "changes", caption, rows });
  return {
    title,
    blocks: [
      text(`First: ${before}.`),
      text(`Second: ${after}.`),
      text(
        `${framesLine(head)} Intervals: ${percent}, paired bootstrap over ${intervalsOver} (${resamples} resamples, seed ${seed}). A change whose interval holds 0 may be chance.`,
      ),
      text(toldLine(figures)),
      chart(
        `The first (hollow), the second (filled), and the change with its ${percent} interval, coloured when it does not hold 0`,
        ofAll.map(([name, pair]) => ({ name, figure: all, ...pair })),
      ),
      chart(
        "The same one by one",
        ofEach.flatMap(({ name, figures }) => figures.map(([figure, pair]) => ({ name, figure, ...pair }))),
      ),
      {
        kind: "table",
        heading: ["Figure", "First", "Second", "Change"],
        rows: pairs.map(([name, pair]) => [name, interval(pair.before), interval(pair.after), changeCell(pair)]),
      },
      ...more,
    ],
  };
}

/** What frames figures are on, and where these are not all of both, what is in none. */
function framesLine({ frames, framesOnlyBefore, framesOnlyAfter, subjects, intervalsOver }: ComparisonHead): string {
  const whose = intervalsOver === "subjects" ? counted(subjects, "subject") : "unknown subjects";
  const common = `${counted(frames, "frame")} of ${whose}`;
  if (framesOnlyBefore === 0 && framesOnlyAfter === 0) return `${common}, the same for both.`;
  const alone = [
    ...(framesOnlyBefore === 0 ? [] : [`${framesOnlyBefore} of the first`]),
    ...(framesOnlyAfter === 0 ? [] : [`${framesOnlyAfter} of the second`]),
  ];
  return `${common}, which both trainings held out. Held out by one alone and in no figure: ${alone.join(", ")}. Figures may therefore differ from those of the reports.`;
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

/** What one model alone answers, if there is such. @param lead such as "In no figure" */
export function aloneBlocks(lead: string, before: readonly string[], after: readonly string[]): ReportBlock[] {
  const alone = [
    ...(before.length === 0 ? [] : [`of the first alone ${before.join(", ")}`]),
    ...(after.length === 0 ? [] : [`of the second alone ${after.join(", ")}`]),
  ];
  return alone.length === 0 ? [] : [text(`${lead}: ${alone.join("; ")}.`)];
}

function toldLine({ ofAll, ofEach }: PairedFigures): string {
  const figures = [...new Set(ofEach.flatMap((each) => each.figures.map(([figure]) => figure)))];
  const told = (is: (pair: PairedComparison) => boolean) => {
    const means = ofAll.flatMap(([figure, pair]) => (is(pair) ? figure : []));
    const each = figures.map((figure) => ({
      figure,
      names: ofEach.flatMap(({ name, figures }) =>
        figures.some((own) => own[0] === figure && is(own[1])) ? name : [],
      ),
    }));
    return [
      ...(means.length === 0 ? [] : [means.join(", ")]),
      ...each.flatMap(({ figure, names }) => (names.length === 0 ? [] : `${figure} of ${names.join(", ")}`)),
    ].join("; ");
  };
  const [higher, lower] = [told(isHigher), told(isLower)];
  if (higher === "" && lower === "") return "No interval of a change excludes 0.";
  return `Higher in the second: ${higher || "nothing"}. Lower: ${lower || "nothing"}. Intervals are not corrected for how many figures there are: of many, some exclude 0 by chance.`;
}

const isHigher = ({ change: { lower } }: PairedComparison): boolean => lower !== undefined && lower > 0;
const isLower = ({ change: { upper } }: PairedComparison): boolean => upper !== undefined && upper < 0;

/** The change, which stands out where its interval is on one side of 0. */
function changeCell(pair: PairedComparison): Cell {
  const cell = interval(pair.change);
  return isHigher(pair) || isLower(pair) ? { strong: cell } : cell;
}
