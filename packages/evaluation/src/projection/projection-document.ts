import { actionUnitName } from "@duchenne/data";
import { type EstimateRow, type ReportBlock, type ReportDocument, text } from "../report-document.ts";
import { headLine, interval } from "../report-parts.ts";
import type { NeighbourShare } from "./neighbour-shares.ts";
import type { ProjectionReport } from "./projection-report.ts";

/** A projection for people: the plot, and what neighbours say of what one sees in it. */
export function projectionDocument(report: ProjectionReport, title: string): ReportDocument {
  const { actionUnits, points, neighbours, perplexity, steps, klDivergence, dimensions, frames, offPerplexity } =
    report;
  const { count, kept, keptChance } = neighbours;
  return {
    title,
    blocks: [
      text(headLine(report)),
      text(
        `The ${dimensions} features of each frame (pooled, before the head), projected by exact t-SNE: perplexity ${Number(perplexity.toFixed(2))}, ${steps} steps, divergence ${klDivergence.toFixed(3)} nats.`,
      ),
      ...(offPerplexity === 0
        ? []
        : [
            text(
              `${offPerplexity} of ${frames} frames have more equally near neighbours than the perplexity, such as copies of one image: their place among those means nothing.`,
            ),
          ]),
      {
        kind: "scatter",
        caption: "Each mark is a frame",
        points,
        actionUnits: actionUnits.map((unit) => ({ name: `AU${unit}`, description: actionUnitName(unit) })),
      },
      text(
        "Marks that are close are close among the features. How large a cluster is and how far it is from others says little, and the axes have no unit.",
      ),
      text(
        `What one sees, in numbers: what share of a frame's ${count} nearest neighbours is alike, among the features and in the plane, and by chance. The most that it can be is below 1 where a subject or an action unit has fewer frames than that. ${interval(kept)} of the nearest neighbours among the features are so in the plane (by chance ${keptChance.toFixed(3)}).`,
      ),
      text("Of an action unit: the neighbours of the frames that show it, and whether they show it as well."),
      shareTable([["Same subject", neighbours.subject], ...unitRows(neighbours, "all")]),
      text(
        "The same among the frames of other subjects alone: what a person's own frames have in common does not count here.",
      ),
      shareTable(unitRows(neighbours, "otherSubjects")),
      {
        kind: "estimates",
        caption: `Share of the ${count} nearest neighbours that is alike, with 95 % intervals; red: by chance`,
        rows: chartRows(neighbours),
      },
    ],
  };
}

type Neighbours = ProjectionReport["neighbours"];

const unitRows = ({ actionUnits }: Neighbours, of: "all" | "otherSubjects") =>
  actionUnits.map((unit) => [`AU${unit.actionUnit} ${actionUnitName(unit.actionUnit)}`, unit[of]] as const);

function shareTable(rows: readonly (readonly [string, NeighbourShare])[]): ReportBlock {
  return {
    kind: "table",
    heading: ["Alike", "Frames", "Among the features", "In the plane", "By chance", "At most"],
    rows: rows.map(([name, { frames, features, plane, chance, ceiling }]) => [
      name,
      String(frames),
      interval(features),
      interval(plane),
      chance?.toFixed(3) ?? "undefined",
      ceiling?.toFixed(3) ?? "undefined",
    ]),
  };
}

function chartRows({ subject, actionUnits }: Neighbours): EstimateRow[] {
  const both = (name: string, { features, plane, chance }: NeighbourShare): EstimateRow[] => [
    { name, figure: "Among the features", ...features, chance },
    { name, figure: "In the plane", ...plane, chance },
  ];
  return [
    ...both("Same subject", subject),
    ...actionUnits.flatMap(({ actionUnit, all, otherSubjects }): EstimateRow[] => {
      const name = `AU${actionUnit}`;
      const { features, chance } = otherSubjects;
      return [...both(name, all), { name, figure: "Features, other subjects", ...features, chance }];
    }),
  ];
}
