import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  comparisonDocument,
  documentToMarkdown,
  type PairedComparison,
  type ScoreComparison,
} from "@duchenne/evaluation";
import { type EvaluationComparisonSchema, type PairedEstimateSchema, SamplingUnit } from "@duchenne/proto";
import { estimateMessage } from "../convert.ts";
import type { ScoredEvaluation } from "./scored-evaluation.ts";

/** A comparison as its callers see it: messages, JSON and Markdown of the same figures. */
export function comparisonMessage(
  before: ScoredEvaluation,
  after: ScoredEvaluation,
  comparison: ScoreComparison,
): MessageInitShape<typeof EvaluationComparisonSchema> {
  const head = {
    before: before.name,
    after: after.name,
    beforeModelVersion: before.record.modelVersion,
    afterModelVersion: after.record.modelVersion,
    dataset: after.record.dataset,
    datasetDigest: after.datasetDigest,
  };
  const document = comparisonDocument(comparison, {
    title: `${head.beforeModelVersion} and ${head.afterModelVersion} on ${head.dataset}`,
    before: `${head.beforeModelVersion} (${head.before})`,
    after: `${head.afterModelVersion} (${head.after})`,
  });
  return {
    ...head,
    frames: comparison.frames,
    subjects: comparison.subjects,
    intervalsOver: comparison.intervalsOver === "subjects" ? SamplingUnit.SUBJECTS : SamplingUnit.FRAMES,
    confidence: comparison.confidence,
    macroAuc: pairMessage(comparison.macroAuc),
    meanF1: pairMessage(comparison.meanF1),
    actionUnits: comparison.actionUnits.map(({ actionUnit, f1, auc }) => ({
      actionUnit,
      f1: pairMessage(f1),
      auc: pairMessage(auc),
    })),
    onlyBefore: [...comparison.onlyBefore],
    onlyAfter: [...comparison.onlyAfter],
    json: JSON.stringify({ ...head, ...comparison }, null, 2),
    markdown: documentToMarkdown(document),
  };
}

function pairMessage({ before, after, change }: PairedComparison): MessageInitShape<typeof PairedEstimateSchema> {
  return { before: estimateMessage(before), after: estimateMessage(after), change: estimateMessage(change) };
}
