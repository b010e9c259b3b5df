import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { crossValidationName } from "@duchenne/control";
import {
  CROSS_VALIDATED_FIGURES,
  type CrossValidatedFigure,
  crossValidationDocument,
  documentToJunit,
  documentToMarkdown,
} from "@duchenne/evaluation";
import { type CrossValidatedFigureSchema, type CrossValidationSchema, ReportFormat } from "@duchenne/proto";
import type { CrossValidationRecord } from "@duchenne/store";
import { estimateMessage } from "../convert.ts";
import { pageOf } from "../page-of.ts";
import { storedCrossValidationSchema } from "./stored-cross-validation.ts";

/** A stored cross-validation as its callers see it: messages, JSON, Markdown and what else was asked for. */
export async function crossValidationMessage(
  { id, model, dataset, report, createTimeMs }: CrossValidationRecord,
  formats: readonly ReportFormat[],
): Promise<MessageInitShape<typeof CrossValidationSchema>> {
  const found = storedCrossValidationSchema.parse(report);
  const { datasetDigest, ...figures } = found;
  const head = { name: crossValidationName(id), model, dataset, datasetDigest };
  const document = crossValidationDocument(found, `Cross-validation of ${model} on ${dataset}`);
  return {
    ...head,
    folds: found.folds,
    seeds: found.seeds.map(BigInt),
    frames: found.frames,
    subjects: found.subjects,
    mean: {
      ...figureMessages(found.mean),
      f1Micro: figureMessage(found.mean.f1Micro),
      trivialF1: found.mean.trivialF1,
    },
    actionUnits: found.actionUnits.map((unit) => {
      const { actionUnit, frames, prevalence, trivialF1 } = unit;
      return { actionUnit, frames, prevalence, trivialF1, ...figureMessages(unit) };
    }),
    runs: found.runs.map(({ identityLeakage: leakage, seed, mean, actionUnits, ...run }) => ({
      ...run,
      seed: BigInt(seed),
      mean: definedOf(mean),
      actionUnits: actionUnits.map(definedOf),
      ...(leakage && { identityLeakage: { ...leakage, accuracy: estimateMessage(leakage.accuracy) } }),
    })),
    createTime: timestampFromMs(createTimeMs),
    json: JSON.stringify({ ...head, ...figures }, null, 2),
    markdown: documentToMarkdown(document),
    ...(formats.includes(ReportFormat.HTML) && { html: await pageOf(document) }),
    ...(formats.includes(ReportFormat.JUNIT) && { junitXml: documentToJunit(document) }),
  };
}

type Figures = Record<(typeof CROSS_VALIDATED_FIGURES)[number], CrossValidatedFigure>;
type FigureMessage = MessageInitShape<typeof CrossValidatedFigureSchema>;

function figureMessages(figures: Figures) {
  return Object.fromEntries(CROSS_VALIDATED_FIGURES.map((name) => [name, figureMessage(figures[name])])) as Record<
    keyof Figures,
    FigureMessage
  >;
}

function figureMessage({ pooled, ...spread }: CrossValidatedFigure): FigureMessage {
  return { ...definedOf(spread), pooled: estimateMessage(pooled) };
}

/** Without what is undefined: the message's fields tell absent from 0. */
function definedOf<T extends Record<string, number | undefined>>(figures: T): { [K in keyof T]?: number } {
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: number;
  };
}
