import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { evaluationName } from "@duchenne/control";
import { type Estimate, evaluationReportSchema, reportToMarkdown } from "@duchenne/evaluation";
import { type EstimateSchema, type EvaluationReportSchema, Split } from "@duchenne/proto";
import type { EvaluationRecord } from "@duchenne/store";
import { z } from "zod";

const storedReportSchema = evaluationReportSchema.extend({
  split: z.enum(["held_out", "all"]),
  datasetDigest: z.string(),
});

/** A stored evaluation as its callers see it: messages, JSON and Markdown of the same figures. */
export function evaluationReportMessage(record: EvaluationRecord): MessageInitShape<typeof EvaluationReportSchema> {
  const { split, datasetDigest, ...report } = storedReportSchema.parse(record.report);
  const { identityLeakage: leakage } = report;
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
    actionUnits: report.actionUnits.map((unit) => ({
      ...unit,
      f1: estimateMessage(unit.f1),
      auc: estimateMessage(unit.auc),
    })),
    meanF1: estimateMessage(report.meanF1),
    meanTrivialF1: report.meanTrivialF1,
    sweptF1: report.sweptF1.value,
    sweptThreshold: report.sweptF1.threshold,
    macroAuc: estimateMessage(report.macroAuc),
    ...(leakage && { identityLeakage: { ...leakage, accuracy: estimateMessage(leakage.accuracy) } }),
    createTime: timestampFromMs(record.createTimeMs),
    json: JSON.stringify({ ...head, split, ...report }, null, 2),
    markdown: reportToMarkdown(report, title),
  };
}

/** What is undefined is left out: the message's fields tell absent from 0. */
function estimateMessage({ value, lower, upper }: Estimate): MessageInitShape<typeof EstimateSchema> {
  return {
    ...(value === undefined ? {} : { value }),
    ...(lower === undefined ? {} : { lower }),
    ...(upper === undefined ? {} : { upper }),
  };
}
