import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { documentToMarkdown, type ProjectionReport, projectionDocument } from "@duchenne/evaluation";
import { type NeighbourShareSchema, type ProjectionSchema, ReportFormat, Split } from "@duchenne/proto";
import { estimateMessage } from "../convert.ts";
import { pageOf } from "../page-of.ts";
import type { StoredProjection } from "./stored-projection.ts";

/** A projection as its callers see it: messages, JSON, Markdown, and the page when it is asked for. */
export async function projectionMessage(
  name: string,
  { projection, createTimeMs }: { readonly projection: StoredProjection; readonly createTimeMs: number },
  formats: readonly ReportFormat[],
): Promise<MessageInitShape<typeof ProjectionSchema>> {
  const { modelVersion, dataset, datasetDigest, split, ...report } = projection;
  const { actionUnits, neighbours, points, subjects, dimensions, perplexity, offPerplexity, steps, klDivergence } =
    report;
  const part = split === "held_out" ? "held-out frames" : "all frames";
  const document = projectionDocument(report, `Projection of ${modelVersion} on ${dataset} (${part})`);
  const numbers = (labels: ProjectionReport["points"][number]["labels"], label: 1 | null) =>
    actionUnits.filter((_, unit) => labels[unit] === label);
  return {
    name,
    modelVersion,
    dataset,
    datasetDigest,
    split: split === "held_out" ? Split.HELD_OUT : Split.ALL,
    seed: BigInt(report.seed),
    perplexity,
    offPerplexity,
    steps,
    klDivergence,
    dimensions,
    subjects,
    neighbours: neighbours.count,
    kept: estimateMessage(neighbours.kept),
    keptChance: neighbours.keptChance,
    subject: shareMessage(neighbours.subject),
    actionUnits: neighbours.actionUnits.map(({ actionUnit, all, otherSubjects }) => ({
      actionUnit,
      all: shareMessage(all),
      otherSubjects: shareMessage(otherSubjects),
    })),
    frames: points.map(({ labels, ...point }) => ({
      ...point,
      present: numbers(labels, 1),
      unknown: numbers(labels, null),
    })),
    createTime: timestampFromMs(createTimeMs),
    json: projectionJson({ name, ...projection }),
    markdown: documentToMarkdown(document),
    ...(formats.includes(ReportFormat.HTML) && { html: await pageOf(document) }),
  };
}

type Share = ProjectionReport["neighbours"]["subject"];

function shareMessage({
  frames,
  features,
  plane,
  chance,
  ceiling,
}: Share): MessageInitShape<typeof NeighbourShareSchema> {
  return {
    frames,
    features: estimateMessage(features),
    plane: estimateMessage(plane),
    ...(chance !== undefined && { chance }),
    ...(ceiling !== undefined && { ceiling }),
  };
}

/** JSON with a frame a line: indented whole, it would be several times as long. */
function projectionJson({ points, ...head }: StoredProjection & { readonly name: string }): string {
  const lines = points.map((point) => `    ${JSON.stringify(point)}`);
  return `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "points": [\n${lines.join(",\n")}\n  ]\n}`;
}
