import type { MessageInitShape, JsonObject as Struct } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { actionUnitName } from "@duchenne/data";
import {
  type ActionUnitDescriptionSchema,
  type AliasMoveSchema,
  type AliasSchema,
  type JobEventSchema,
  type JobSchema,
  JobState,
  ModelPrecision,
  type ModelSchema,
  type ModelVersionSchema,
  ScoreKind,
  ThresholdOrigin,
} from "@duchenne/proto";
import type {
  AliasMoveRecord,
  AliasRecord,
  JobEvent,
  JobRecord,
  JsonObject,
  ModelRecord,
  ModelVersionRecord,
  NewJob,
} from "@duchenne/store";
import type { ModelDescription } from "@duchenne/vision";
import { describeVersion, kindOf, precisionOf } from "./describe-version.ts";
import { aliasName, jobName, modelName, versionName } from "./resource-name.ts";

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
    priority: job.priority,
    ...(job.timeLimitMs === undefined ? {} : { timeLimit: durationFromMs(job.timeLimitMs) }),
    runTime: durationFromMs(job.runMs),
    after: job.after.map(jobName),
    resources: { ...job.resources },
    ...(job.parent === undefined ? {} : { parent: jobName(job.parent) }),
  };
}

/** A job as it would be made: without a name. */
export function plannedJobMessage({
  kind,
  spec,
  displayName = "",
  priority = 0,
  timeLimitMs,
  after = [],
  resources = {},
}: Omit<NewJob, "requestId" | "children">): MessageInitShape<typeof JobSchema> {
  return {
    kind,
    state: JobState.QUEUED,
    spec: structFrom(spec),
    displayName,
    priority,
    ...(timeLimitMs === undefined ? {} : { timeLimit: durationFromMs(timeLimitMs) }),
    after: after.map(jobName),
    resources: { ...resources },
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
      const { fraction, etaMs, epoch, phase, imagesPerSecond = 0, inputWaitShare } = event;
      const steps = { step: BigInt(event.step), totalSteps: BigInt(event.totalSteps) };
      const eta = etaMs === undefined ? {} : { eta: durationFromMs(Math.round(etaMs)) };
      const wait = inputWaitShare === undefined ? {} : { inputWaitShare };
      return { case: "progress", value: { fraction, epoch, phase, imagesPerSecond, ...steps, ...eta, ...wait } };
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
    case "child": {
      const { displayName, state, error } = event;
      const child = { job: jobName(event.job), displayName, state: JobState[state] };
      return { case: "child", value: { ...child, ...(error === undefined ? {} : { error }) } };
    }
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

/** A move of an alias as its callers see it. */
export function aliasMoveMessage({
  target,
  etag,
  updateTimeMs,
}: AliasMoveRecord): MessageInitShape<typeof AliasMoveSchema> {
  const version = target === undefined ? "" : versionName(target.model, target.version);
  return { version, etag, time: timestampFromMs(updateTimeMs) };
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
    digest: version.digest,
    precision: precisionMessage(precisionOf(version)),
  };
}

/** What a version computes in, on the wire. */
export function precisionMessage(precision: ModelDescription["precision"]): ModelPrecision {
  return precision === "int8" ? ModelPrecision.INT8 : ModelPrecision.FLOAT32;
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
