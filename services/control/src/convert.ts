import type { MessageInitShape, JsonObject as Struct } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { actionUnitName, type Dataset } from "@duchenne/data";
import {
  type ActionUnitDescriptionSchema,
  type AliasSchema,
  type DatasetSchema,
  type JobEventSchema,
  type JobSchema,
  JobState,
  type ModelSchema,
  type ModelVersionSchema,
  ScoreKind,
  ThresholdOrigin,
} from "@duchenne/proto";
import type {
  AliasRecord,
  DatasetRecord,
  JobEvent,
  JobRecord,
  JsonObject,
  ModelRecord,
  ModelVersionRecord,
} from "@duchenne/store";
import type { ModelDescription } from "@duchenne/vision";
import { z } from "zod";
import { describeVersion, kindOf } from "./describe-version.ts";
import { aliasName, datasetName, jobName, modelName, versionName } from "./resource-name.ts";

/** A stored object as google.protobuf.Struct, whose type knows no readonly. */
export function structFrom(value: JsonObject): Struct {
  return value as Struct;
}

/** A job as its callers see it. */
export function jobMessage(job: JobRecord): MessageInitShape<typeof JobSchema> {
  return {
    name: jobName(job.id),
    kind: job.kind,
    state: JobState[job.state],
    attempt: job.attempt,
    progress: job.progress,
    createTime: timestampFromMs(job.createTimeMs),
    spec: structFrom(job.spec),
    lastEvent: BigInt(job.lastEvent),
    displayName: job.displayName,
    ...(job.etaMs === undefined ? {} : { eta: durationFromMs(Math.round(job.etaMs)) }),
    ...(job.startTimeMs === undefined ? {} : { startTime: timestampFromMs(job.startTimeMs) }),
    ...(job.endTimeMs === undefined ? {} : { endTime: timestampFromMs(job.endTimeMs) }),
    ...(job.error === undefined ? {} : { error: job.error }),
    ...(job.result === undefined ? {} : { result: structFrom(job.result) }),
  };
}

/** A stored event as its watchers see it. */
export function jobEventMessage(event: JobEvent): MessageInitShape<typeof JobEventSchema> {
  const head = { number: BigInt(event.number), attempt: event.attempt, time: timestampFromMs(event.timeMs) };
  return { ...head, event: eventBody(event) };
}

function eventBody(event: JobEvent): NonNullable<MessageInitShape<typeof JobEventSchema>["event"]> {
  switch (event.kind) {
    case "state": {
      const error = event.error === undefined ? {} : { error: event.error };
      return { case: "state", value: { state: JobState[event.state], ...error } };
    }
    case "progress": {
      const { fraction, etaMs, epoch, phase, imagesPerSecond = 0 } = event;
      const steps = { step: BigInt(event.step), totalSteps: BigInt(event.totalSteps) };
      const eta = etaMs === undefined ? {} : { eta: durationFromMs(Math.round(etaMs)) };
      return { case: "progress", value: { fraction, epoch, phase, imagesPerSecond, ...steps, ...eta } };
    }
    case "metrics":
      return {
        case: "metrics",
        value: { step: BigInt(event.step), epoch: event.epoch, values: event.values },
      };
    case "checkpoint":
      return {
        case: "checkpoint",
        value: { step: BigInt(event.step), digest: event.digest, sizeBytes: BigInt(event.sizeBytes) },
      };
    case "log":
      return { case: "log", value: { level: event.level, text: event.text } };
    case "artifact":
      return { case: "artifact", value: { name: event.name, kind: event.artifactKind } };
  }
}

/** An alias as its callers see it. */
export function aliasMessage(alias: AliasRecord): MessageInitShape<typeof AliasSchema> {
  return {
    name: aliasName(alias.model, alias.alias),
    version: versionName(alias.target.model, alias.target.version),
    etag: alias.etag,
    updateTime: timestampFromMs(alias.updateTimeMs),
  };
}

/** A model as its callers see it. */
export function modelMessage(model: ModelRecord): MessageInitShape<typeof ModelSchema> {
  return {
    name: modelName(model.id),
    aliases: model.aliases.map(aliasMessage),
    createTime: timestampFromMs(model.createTimeMs),
    latestVersion: model.latestVersion === undefined ? "" : versionName(model.id, model.latestVersion),
  };
}

/** A version as its callers see it. */
export function modelVersionMessage(version: ModelVersionRecord): MessageInitShape<typeof ModelVersionSchema> {
  const kind = kindOf(version);
  const isDetector = kind === "vit" || kind === "blendshape-au";
  return {
    name: versionName(version.model, version.version),
    kind,
    actionUnits: isDetector ? actionUnitMessages(describeVersion(version)) : [],
    files: version.artifacts.map(({ role, digest, sizeBytes }) => ({ role, digest, sizeBytes: BigInt(sizeBytes) })),
    cardJson: JSON.stringify(version.card),
    job: version.job === undefined ? "" : jobName(version.job),
    createTime: timestampFromMs(version.createTimeMs),
  };
}

const THRESHOLD_ORIGINS = {
  convention: ThresholdOrigin.CONVENTION,
  validation: ThresholdOrigin.VALIDATION,
  expert: ThresholdOrigin.EXPERT,
} as const;

/** Where a threshold comes from, on the wire. */
export function thresholdOriginMessage(origin: keyof typeof THRESHOLD_ORIGINS): ThresholdOrigin {
  return THRESHOLD_ORIGINS[origin];
}

/** What scores are, on the wire. */
export function scoreKindMessage(kind: ModelDescription["scoreKind"]): ScoreKind {
  return kind === "probability" ? ScoreKind.PROBABILITY : ScoreKind.ACTIVATION;
}

/** The action units of a model as its callers see them. */
export function actionUnitMessages({
  actionUnits,
  scoreKind,
}: ModelDescription): MessageInitShape<typeof ActionUnitDescriptionSchema>[] {
  return actionUnits.map(({ actionUnit, threshold, thresholdOrigin, thresholdNote, lateral, source }) => ({
    actionUnit,
    displayName: actionUnitName(actionUnit),
    scoreKind: scoreKindMessage(scoreKind),
    threshold,
    thresholdOrigin: thresholdOriginMessage(thresholdOrigin),
    thresholdNote,
    lateral,
    source,
  }));
}

const datasetDescriptionSchema = z.object({
  digest: z.string(),
  actionUnits: z.array(z.int()),
  subjects: z.int(),
  frames: z.int(),
  prevalence: z.array(z.number()),
  description: z.string(),
  boxConvention: z.string(),
});
/** What the store keeps of a data set beside its folder. */
export type DatasetDescription = z.output<typeof datasetDescriptionSchema>;

/** Summarises an opened data set for the store. */
export function describeDataset(dataset: Dataset, description = dataset.description): JsonObject & DatasetDescription {
  const prevalence = dataset.actionUnits.map((_, unit) => {
    const labels = dataset.samples.map(({ occurrence }) => occurrence[unit]!).filter((label) => label !== -1);
    return labels.length === 0 ? 0 : labels.filter((label) => label === 1).length / labels.length;
  });
  return {
    digest: dataset.digest,
    actionUnits: [...dataset.actionUnits],
    subjects: dataset.subjects.length,
    frames: dataset.samples.length,
    prevalence,
    description,
    boxConvention: dataset.boxConvention,
  };
}

/** What the store keeps of a data set, checked. */
export function datasetDescription(dataset: DatasetRecord): DatasetDescription {
  return datasetDescriptionSchema.parse(dataset.description);
}

/** A data set as its callers see it. */
export function datasetMessage(dataset: DatasetRecord): MessageInitShape<typeof DatasetSchema> {
  const { boxConvention: _, ...description } = datasetDescription(dataset);
  return {
    ...description,
    name: datasetName(dataset.id),
    directory: dataset.directory,
    createTime: timestampFromMs(dataset.createTimeMs),
  };
}
