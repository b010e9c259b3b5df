import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { evaluationName, thresholdOriginMessage } from "@duchenne/control";
import {
  detectorDocument,
  documentToJunit,
  documentToMarkdown,
  type Estimate,
  type EvaluationReport,
  type ExpressionReport,
  evaluationReportSchema,
  expressionDocument,
  expressionReportSchema,
  meanPrevalence,
  totalConfusion,
} from "@duchenne/evaluation";
import {
  type EstimateSchema,
  type EvaluationReportSchema,
  type EvaluationSummarySchema,
  type ExpressionReportSchema,
  ReportFormat,
  SamplingUnit,
  Split,
} from "@duchenne/proto";
import type { EvaluationRecord } from "@duchenne/store";
import { z } from "zod";
import { pageOf } from "./page-of.ts";

const storedPart = { split: z.enum(["held_out", "all"]), datasetDigest: z.string() };
/** What the store keeps as an evaluation's report. */
export const storedReportSchema = z.union([
  evaluationReportSchema.extend(storedPart),
  expressionReportSchema.extend(storedPart),
]);

/** A stored evaluation as its callers see it: messages, JSON, Markdown and what else was asked for, of the same figures. */
export async function evaluationReportMessage(
  record: EvaluationRecord,
  formats: readonly ReportFormat[],
): Promise<MessageInitShape<typeof EvaluationReportSchema>> {
  const { split, datasetDigest, ...report } = storedReportSchema.parse(record.report);
  const { identityLeakage: leakage } = report;
  const head = {
    name: evaluationName(record.id),
    modelVersion: record.modelVersion,
    dataset: record.dataset,
    datasetDigest,
  };
  const part = split === "held_out" ? `held-out ${report.intervalsOver}` : "all frames";
  const title = `${record.modelVersion} on ${record.dataset} (${part})`;
  const document = "expressions" in report ? expressionDocument(report, title) : detectorDocument(report, title);
  return {
    ...head,
    ...("expressions" in report ? { expressionReport: expressionReportMessage(report) } : actionUnitFields(report)),
    markdown: documentToMarkdown(document),
    ...(formats.includes(ReportFormat.HTML) && { html: await pageOf(document) }),
    ...(formats.includes(ReportFormat.JUNIT) && { junitXml: documentToJunit(document) }),
    split: splitMessage(split),
    frames: report.frames,
    subjects: report.subjects,
    intervalsOver: report.intervalsOver === "subjects" ? SamplingUnit.SUBJECTS : SamplingUnit.FRAMES,
    ...(leakage && { identityLeakage: { ...leakage, accuracy: estimateMessage(leakage.accuracy) } }),
    createTime: timestampFromMs(record.createTimeMs),
    json: JSON.stringify({ ...head, split, ...report, ...("actionUnits" in report && totalsOf(report)) }, null, 2),
  };
}

/** What is over all action units and follows from those, also in reports of earlier releases. */
function totalsOf(report: EvaluationReport) {
  const [prevalence, confusion] = [meanPrevalence(report), totalConfusion(report)];
  return {
    ...(prevalence !== undefined && { meanPrevalence: prevalence }),
    ...(confusion !== undefined && { totalConfusion: confusion }),
  };
}

/** What a list of evaluations says of one. */
export function evaluationSummaryMessage(record: EvaluationRecord): MessageInitShape<typeof EvaluationSummarySchema> {
  const { split, datasetDigest, ...report } = storedReportSchema.parse(record.report);
  return {
    name: evaluationName(record.id),
    modelVersion: record.modelVersion,
    dataset: record.dataset,
    datasetDigest,
    split: splitMessage(split),
    frames: report.frames,
    subjects: report.subjects,
    createTime: timestampFromMs(record.createTimeMs),
    ...("expressions" in report
      ? {
          top1: estimateMessage(report.top1),
          meanClassAccuracy: estimateMessage(report.meanClassAccuracy),
          macroF1: estimateMessage(report.macroF1),
        }
      : { macroAuc: estimateMessage(report.macroAuc), meanF1: estimateMessage(report.meanF1) }),
  };
}

const splitMessage = (split: "held_out" | "all"): Split => (split === "held_out" ? Split.HELD_OUT : Split.ALL);

/** The fields that a detector's report has alone. */
function actionUnitFields(report: EvaluationReport) {
  return {
    actionUnits: report.actionUnits.map(({ thresholdOrigin, ...unit }) => ({
      ...unit,
      ...(thresholdOrigin && { thresholdOrigin: thresholdOriginMessage(thresholdOrigin) }),
      f1: estimateMessage(unit.f1),
      f1AtHalf: estimateMessage(unit.f1AtHalf),
      sweptF1: estimateMessage(unit.sweptF1),
      auc: estimateMessage(unit.auc),
      averagePrecision: estimateMessage(unit.averagePrecision),
      calibrationError: estimateMessage(unit.calibrationError),
      brierScore: estimateMessage(unit.brierScore),
    })),
    meanF1: estimateMessage(report.meanF1),
    f1Micro: estimateMessage(report.f1Micro),
    meanF1AtHalf: estimateMessage(report.meanF1AtHalf),
    meanTrivialF1: report.meanTrivialF1,
    sweptF1: report.sweptF1.value,
    sweptThreshold: report.sweptF1.threshold,
    meanSweptF1: estimateMessage(report.sweptF1),
    ...totalsOf(report),
    macroAuc: estimateMessage(report.macroAuc),
    macroAveragePrecision: estimateMessage(report.macroAveragePrecision),
    meanCalibrationError: estimateMessage(report.meanCalibrationError),
    meanBrierScore: estimateMessage(report.meanBrierScore),
  } satisfies MessageInitShape<typeof EvaluationReportSchema>;
}

function expressionReportMessage(report: ExpressionReport): MessageInitShape<typeof ExpressionReportSchema> {
  return {
    top1: estimateMessage(report.top1),
    trivialTop1: report.trivialTop1,
    meanClassAccuracy: estimateMessage(report.meanClassAccuracy),
    macroF1: estimateMessage(report.macroF1),
    crossEntropy: estimateMessage(report.crossEntropy),
    expressions: report.expressions.map(({ expression, isInDataset, frames, recall, f1 }, i) => ({
      expression,
      inDataset: isInDataset,
      frames,
      recall: estimateMessage(recall),
      f1: estimateMessage(f1),
      answers: report.confusion[i]!,
    })),
    framesLeftOut: report.framesLeftOut,
  };
}

/** What is undefined is left out: the message's fields tell absent from 0. */
export function estimateMessage({ value, lower, upper }: Estimate): MessageInitShape<typeof EstimateSchema> {
  return {
    ...(value === undefined ? {} : { value }),
    ...(lower === undefined ? {} : { lower }),
    ...(upper === undefined ? {} : { upper }),
  };
}
