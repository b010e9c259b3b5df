import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  comparisonDocument,
  documentToJunit,
  documentToMarkdown,
  type ExpressionComparison,
  expressionComparisonDocument,
  type PairedComparison,
  type ScoreComparison,
} from "@duchenne/evaluation";
import {
  type EvaluationComparisonSchema,
  type ExpressionComparisonSchema,
  type PairedEstimateSchema,
  ReportFormat,
  SamplingUnit,
} from "@duchenne/proto";
import { estimateMessage } from "../convert.ts";
import { pageOf } from "../page-of.ts";
import type { FoundComparison } from "./compare-in-thread.ts";
import type { ComparablePair } from "./scored-evaluation.ts";

/** A comparison as its callers see it: messages, JSON, Markdown and what else was asked for, of the same figures. */
export async function comparisonMessage(
  { before, after }: ComparablePair,
  comparison: FoundComparison,
  formats: readonly ReportFormat[],
): Promise<MessageInitShape<typeof EvaluationComparisonSchema>> {
  const head = {
    before: before.name,
    after: after.name,
    beforeModelVersion: before.record.modelVersion,
    afterModelVersion: after.record.modelVersion,
    dataset: after.record.dataset,
    datasetDigest: after.datasetDigest,
  };
  const names = {
    title: `${head.beforeModelVersion} and ${head.afterModelVersion} on ${head.dataset}`,
    before: `${head.beforeModelVersion} (${head.before})`,
    after: `${head.afterModelVersion} (${head.after})`,
  };
  const isOfClassifiers = "expressions" in comparison;
  const document = isOfClassifiers
    ? expressionComparisonDocument(comparison, names)
    : comparisonDocument(comparison, names);
  return {
    ...head,
    frames: comparison.frames,
    framesOnlyBefore: comparison.framesOnlyBefore,
    framesOnlyAfter: comparison.framesOnlyAfter,
    subjects: comparison.subjects,
    intervalsOver: comparison.intervalsOver === "subjects" ? SamplingUnit.SUBJECTS : SamplingUnit.FRAMES,
    confidence: comparison.confidence,
    ...(isOfClassifiers
      ? { expressionComparison: expressionComparisonMessage(comparison) }
      : actionUnitFields(comparison)),
    json: JSON.stringify({ ...head, ...comparison }, null, 2),
    markdown: documentToMarkdown(document),
    ...(formats.includes(ReportFormat.HTML) && { html: await pageOf(document) }),
    ...(formats.includes(ReportFormat.JUNIT) && { junitXml: documentToJunit(document) }),
  };
}

/** The fields that a comparison of detectors has alone. */
function actionUnitFields({ macroAuc, meanF1, actionUnits, onlyBefore, onlyAfter }: ScoreComparison) {
  return {
    macroAuc: pairMessage(macroAuc),
    meanF1: pairMessage(meanF1),
    actionUnits: actionUnits.map(({ actionUnit, f1, auc }) => ({
      actionUnit,
      f1: pairMessage(f1),
      auc: pairMessage(auc),
    })),
    onlyBefore: [...onlyBefore],
    onlyAfter: [...onlyAfter],
  } satisfies MessageInitShape<typeof EvaluationComparisonSchema>;
}

function expressionComparisonMessage(
  comparison: ExpressionComparison,
): MessageInitShape<typeof ExpressionComparisonSchema> {
  return {
    top1: pairMessage(comparison.top1),
    meanClassAccuracy: pairMessage(comparison.meanClassAccuracy),
    macroF1: pairMessage(comparison.macroF1),
    expressions: comparison.expressions.map(({ expression, recall, f1 }) => ({
      expression,
      recall: pairMessage(recall),
      f1: pairMessage(f1),
    })),
    ...comparison.answers,
    onlyBefore: [...comparison.onlyBefore],
    onlyAfter: [...comparison.onlyAfter],
  };
}

function pairMessage({ before, after, change }: PairedComparison): MessageInitShape<typeof PairedEstimateSchema> {
  return { before: estimateMessage(before), after: estimateMessage(after), change: estimateMessage(change) };
}
