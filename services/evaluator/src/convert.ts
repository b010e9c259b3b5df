import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { evaluationName } from "@duchenne/control";
import { evaluationReportSchema, reportToMarkdown } from "@duchenne/evaluation";
import { type EvaluationReportSchema, Split } from "@duchenne/proto";
import type { EvaluationRecord } from "@duchenne/store";
import { z } from "zod";

const storedReportSchema = evaluationReportSchema.extend({
  split: z.enum(["held_out", "all"]),
  datasetDigest: z.string(),
});

/** A stored evaluation as its callers see it: messages, JSON and Markdown of the same figures. */
export function evaluationReportMessage(record: EvaluationRecord): MessageInitShape<typeof EvaluationReportSchema> {
  const { split, datasetDigest, ...report } = storedReportSchema.parse(record.report);
  const head = {
    name: evaluationName(record.id),
    modelVersion: record.modelVersion,
    dataset: record.dataset,
    datasetDigest,
  };
  const title = `${record.modelVersion} on ${record.dataset} (${split === "held_out" ? "held-out subjects" : "all frames"})`;
  return {
    ...head,
    split: split === "held_out" ? Split.HELD_OUT : Split.ALL,
    frames: report.frames,
    subjects: report.subjects,
    actionUnits: report.actionUnits.map(({ trivialF1, ...unit }) => ({ ...unit, trivialF1 })) as never,
    meanF1: report.meanF1 as never,
    meanTrivialF1: report.meanTrivialF1,
    sweptF1: report.sweptF1.value,
    sweptThreshold: report.sweptF1.threshold,
    macroAuc: report.macroAuc as never,
    ...(report.identityLeakage === undefined ? {} : { identityLeakage: report.identityLeakage as never }),
    createTime: timestampFromMs(record.createTimeMs),
    json: JSON.stringify({ ...head, split, ...report }, null, 2),
    markdown: reportToMarkdown(report, title),
  };
}
